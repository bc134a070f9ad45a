// Groups of endpoints and how requests are shared among them: GroupEndpoints on the main thread,
// ClusterBalancer on a worker.
#include "core/upstream/balance/cluster_balancer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/strings.h"
#include "core/config/labels.h"
#include "core/upstream/endpoint_groups.h"

namespace sluice {
namespace {

constexpr size_t kNone = ClusterBalancer::kNoEndpoint;
constexpr EndpointFaults kFailed = static_cast<EndpointFaults>(EndpointFault::kFailedCheck);
constexpr EndpointFaults kEjected = static_cast<EndpointFaults>(EndpointFault::kEjected);
constexpr EndpointFaults kDrained = static_cast<EndpointFaults>(EndpointFault::kDrained);

class ClusterBalancerTest : public testing::Test {
 protected:
  Endpoint& Add(uint32_t priority = 0, std::string zone = {}, LabelPairs metadata = {}) {
    Endpoint& endpoint = endpoints_.emplace_back();
    endpoint.text = StrCat({"10.0.0.", Decimal(endpoints_.size()), ":80"});
    endpoint.id = static_cast<uint32_t>(endpoints_.size());
    endpoint.priority = priority;
    endpoint.zone = std::move(zone);
    endpoint.metadata = std::move(metadata);
    loads_.push_back(std::make_unique<EndpointLoad>());
    cells_.push_back(std::make_unique<StatsCell>(0));
    loads_.back()->active = SharedGauge(cells_.back().get());
    return endpoint;
  }
  void AddMany(size_t count, uint32_t priority = 0, const std::string& zone = {}) {
    for (size_t i = 0; i < count; ++i) Add(priority, zone);
  }
  void Fail(std::initializer_list<size_t> places, EndpointFaults faults = kFailed) {
    for (const size_t place : places) endpoints_.at(place).faults = faults;
  }
  // The set as it is now, made known to the worker.
  void Publish() {
    auto set = std::make_shared<EndpointSet>();
    set->endpoints = endpoints_;
    GroupEndpoints(settings_, *set, set_.get());
    if (balancer_ == nullptr) balancer_ = std::make_unique<ClusterBalancer>(settings_, random_);
    std::vector<EndpointLoad*> loads;
    for (const auto& load : loads_) loads.push_back(load.get());
    balancer_->Update(*set, loads, now_);
    set_ = std::move(set);
  }
  size_t Pick(const LabelPairs& subset = {}) {
    return balancer_->Pick({random_, now_}, SubsetText(subset));
  }
  size_t PickOther(const TriedEndpoints& tried) { return balancer_->Pick({random_, now_, &tried}); }
  // Each endpoint's share of many picks.
  std::vector<double> Shares(const LabelPairs& subset = {}) {
    constexpr double kPicks = 100'000;
    std::vector<double> shares(endpoints_.size());
    for (int i = 0; i < kPicks; ++i) ++shares.at(Pick(subset));
    for (double& share : shares) share /= kPicks;
    return shares;
  }
  double Sum(const std::vector<double>& shares, size_t begin, size_t end) {
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += shares[i];
    return sum;
  }

  BalanceSettings settings_;
  Random random_{1};
  Nanos now_ = 1000 * kSecond;
  std::vector<Endpoint> endpoints_;
  std::vector<std::unique_ptr<EndpointLoad>> loads_;
  std::vector<std::unique_ptr<StatsCell>> cells_;
  EndpointSetPtr set_;
  std::unique_ptr<ClusterBalancer> balancer_;
};

TEST_F(ClusterBalancerTest, AnEmptySetHasNobody) {
  Publish();
  EXPECT_EQ(Pick(), kNone);
  AddMany(1);
  Publish();
  EXPECT_EQ(Pick(), 0u);
}

TEST_F(ClusterBalancerTest, WhoIsNotUsableGetsNothing) {
  AddMany(10);
  Fail({1, 4});
  Fail({7}, kEjected);
  Fail({9}, kDrained);
  Publish();
  const std::vector<double> shares = Shares();
  for (size_t i = 0; i < 10; ++i) {
    const bool out = i == 1 || i == 4 || i == 7 || i == 9;
    EXPECT_NEAR(shares[i], out ? 0 : 1.0 / 6, 0.001) << i;
  }
}

TEST_F(ClusterBalancerTest, InPanicAllAreUsedButTheDrained) {
  AddMany(5);
  Fail({0, 1});
  Fail({2}, kEjected);
  Publish();
  EXPECT_EQ(set_->priorities_in_panic, 1u);
  for (const double share : Shares()) EXPECT_NEAR(share, 0.2, 0.001);
  Fail({4}, kDrained);
  Publish();
  EXPECT_EQ(Shares()[4], 0);
  settings_.panic_threshold = 0;
  Publish();
  EXPECT_EQ(set_->priorities_in_panic, 0u);
  EXPECT_DOUBLE_EQ(Shares()[3], 1);
}

// Whoever refused one is likely to be out indeed.
TEST_F(ClusterBalancerTest, InPanicASecondTryGoesToWhoIsUsable) {
  AddMany(5);
  Fail({0, 1, 2});
  Publish();
  TriedEndpoints tried;
  tried.Add(1);
  size_t picks[5] = {};
  for (int i = 0; i < 1000; ++i) ++picks[PickOther(tried)];
  EXPECT_EQ(picks[3] + picks[4], 1000u);
  EXPECT_GT(picks[3], 0u);
  tried.Add(4);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(PickOther(tried), 4u);
  tried.Add(5);
  for (int i = 0; i < 100; ++i) {
    const size_t pick = PickOther(tried);
    EXPECT_TRUE(pick == 1 || pick == 2) << pick;
  }
}

TEST_F(ClusterBalancerTest, TheDrainedMakeNobodyPanic) {
  AddMany(5);
  Fail({0, 1, 2, 3}, kDrained);
  Publish();
  EXPECT_DOUBLE_EQ(Shares()[4], 1);
  Fail({4}, kDrained);
  Publish();
  EXPECT_EQ(Pick(), kNone);
}

TEST_F(ClusterBalancerTest, WithoutPanicNobodyUsableIsNobody) {
  settings_.panic_threshold = 0;
  AddMany(2);
  Fail({0, 1});
  Publish();
  EXPECT_EQ(Pick(), kNone);
}

TEST_F(ClusterBalancerTest, PrioritiesSpillOverByHealth) {
  AddMany(4, 0);
  AddMany(4, 1);
  Publish();
  EXPECT_DOUBLE_EQ(Sum(Shares(), 0, 4), 1);
  Fail({0, 1});  // 2 of 4, times 1.4
  Publish();
  std::vector<double> shares = Shares();
  EXPECT_NEAR(Sum(shares, 0, 4), 0.7, 0.007);
  EXPECT_EQ(shares[0] + shares[1], 0);
  EXPECT_NEAR(Sum(shares, 4, 8), 0.3, 0.007);
  Fail({2, 3});
  Publish();
  EXPECT_DOUBLE_EQ(Sum(Shares(), 4, 8), 1);
}

TEST_F(ClusterBalancerTest, TheLocalZoneIsPreferredAndSpillsOverByHealth) {
  settings_.local_zone = "b";
  AddMany(4, 0, "a");
  AddMany(4, 0, "b");
  Publish();
  EXPECT_DOUBLE_EQ(Sum(Shares(), 4, 8), 1);
  Fail({4, 5});
  Publish();
  const std::vector<double> shares = Shares();
  EXPECT_NEAR(Sum(shares, 6, 8), 0.7, 0.007);
  EXPECT_NEAR(Sum(shares, 0, 4), 0.3, 0.007);
  Fail({6, 7});
  Publish();
  EXPECT_DOUBLE_EQ(Sum(Shares(), 0, 4), 1) << "half of the priority is usable: no panic";
  settings_.local_zone = "c";
  Fail({4, 5, 6, 7}, 0);
  Publish();
  EXPECT_NEAR(Sum(Shares(), 0, 4), 0.5, 0.001) << "nobody is local: all are alike";
}

TEST_F(ClusterBalancerTest, TriedGroupsAreLeftForOthers) {
  settings_.local_zone = "b";
  Add(0, "b");
  Add(0, "a");
  Add(1, "b");
  Publish();
  TriedEndpoints tried;
  EXPECT_EQ(PickOther(tried), 0u);
  tried.Add(1);
  EXPECT_EQ(PickOther(tried), 1u);
  tried.Add(2);
  EXPECT_EQ(PickOther(tried), 2u) << "of another priority";
  tried.Add(3);
  EXPECT_EQ(PickOther(tried), 0u) << "all were tried";
}

TEST_F(ClusterBalancerTest, AnotherPriorityIsTriedWhereThatIsAskedFor) {
  AddMany(3, 0);
  AddMany(2, 5);
  Publish();
  TriedEndpoints tried;
  const auto pick = [&] { return balancer_->Pick({random_, now_, &tried, {}, true}); };
  tried.Add(2);
  for (int i = 0; i < 10; ++i) EXPECT_GE(pick(), 3u);
  tried.Add(5);
  EXPECT_LT(pick(), 3u) << "both were tried: whoever is left";
  EXPECT_NE(pick(), 1u);
}

TEST_F(ClusterBalancerTest, AKeyKeepsItsGroupAndItsEndpoint) {
  settings_.policy = BalancePolicy::kMaglev;
  AddMany(4, 0);
  AddMany(4, 1);
  Fail({0, 1});
  Publish();
  int second = 0;
  for (uint64_t key = 0; key < 1000; ++key) {
    const PickContext context{random_, now_, nullptr, key * 0x2545f4914f6cdd1d};
    const size_t chosen = balancer_->Pick(context);
    EXPECT_EQ(balancer_->Pick(context), chosen);
    if (chosen >= 4) ++second;
  }
  EXPECT_NEAR(second, 300, 60);
}

TEST_F(ClusterBalancerTest, TablesAreBuiltAnewOnlyForOtherMembers) {
  settings_.policy = BalancePolicy::kRingHash;
  AddMany(3, 0);
  AddMany(3, 1);
  Publish();
  const EndpointSetPtr before = set_;
  Publish();
  EXPECT_EQ(set_->groups[0].table, before->groups[0].table);
  Fail({0});
  Publish();
  EXPECT_EQ(set_->groups[0].table, before->groups[0].table) << "one that is out is passed by";
  endpoints_[4].weight = 3;
  Publish();
  EXPECT_EQ(set_->groups[0].table, before->groups[0].table);
  EXPECT_NE(set_->groups[1].table, before->groups[1].table);
}

// Panic comes when there is most to do: its groups for second tries have the tables of the first.
TEST_F(ClusterBalancerTest, PanicBuildsNoTables) {
  settings_.policy = BalancePolicy::kRingHash;
  AddMany(4, 0);
  Publish();
  const EndpointSetPtr before = set_;
  Fail({0, 1, 2});
  Publish();
  ASSERT_EQ(set_->groups.size(), 2u);
  EXPECT_EQ(set_->groups[0].table, before->groups[0].table);
  EXPECT_EQ(set_->groups[1].table, before->groups[0].table);
}

// It has its own ones back when it is well again.
TEST_F(ClusterBalancerTest, OnlyTheKeysOfWhoIsOutGoElsewhere) {
  for (const BalancePolicy policy : {BalancePolicy::kRingHash, BalancePolicy::kMaglev}) {
    settings_.policy = policy;
    endpoints_.clear();
    balancer_.reset();
    set_.reset();
    AddMany(10, 0);
    Publish();
    const auto owners = [this] {
      std::vector<size_t> picks;
      for (uint64_t key = 0; key < 10'000; ++key) {
        picks.push_back(balancer_->Pick({random_, now_, nullptr, key * 0x2545f4914f6cdd1d}));
      }
      return picks;
    };
    const std::vector<size_t> before = owners();
    Fail({3, 7});
    Publish();
    const std::vector<size_t> without = owners();
    std::vector<size_t> received(10);
    for (size_t i = 0; i < before.size(); ++i) {
      if (before[i] != 3 && before[i] != 7) {
        ASSERT_EQ(without[i], before[i]);
      } else {
        ++received[without[i]];
      }
    }
    EXPECT_EQ(received[3] + received[7], 0u);
    for (const size_t other : {0u, 1u, 2u, 4u, 5u, 6u, 8u, 9u}) {
      EXPECT_NEAR(static_cast<double>(received[other]), 250, 120) << other;
    }
    endpoints_[3].faults = endpoints_[7].faults = 0;
    Publish();
    EXPECT_EQ(owners(), before);
  }
}

class SubsetTest : public ClusterBalancerTest {
 protected:
  void SetUp() override {
    settings_.subsets.keys = {{"version"}, {"stage", "version"}};
    Add(0, {}, {{"stage", "prod"}, {"version", "1"}});
    Add(0, {}, {{"stage", "prod"}, {"version", "2"}});
    Add(0, {}, {{"stage", "test"}, {"version", "2"}});
    Add(0, {}, {{"stage", "prod"}});
    Publish();
  }
};

TEST_F(SubsetTest, RequestsGoToTheirs) {
  EXPECT_DOUBLE_EQ(Shares({{"version", "1"}})[0], 1);
  EXPECT_NEAR(Shares({{"version", "2"}})[1], 0.5, 0.001);
  EXPECT_NEAR(Shares({{"version", "2"}})[2], 0.5, 0.001);
  EXPECT_DOUBLE_EQ(Shares({{"stage", "test"}, {"version", "2"}})[2], 1);
  for (const double share : Shares()) EXPECT_NEAR(share, 0.25, 0.001);
}

TEST_F(SubsetTest, FallsBackAsItIsTold) {
  EXPECT_EQ(Pick({{"version", "3"}}), kNone);
  EXPECT_EQ(Pick({{"stage", "prod"}}), kNone) << "there are no subsets by this alone";
  settings_.subsets.fallback = SubsetSettings::Fallback::kAny;
  EXPECT_NEAR(Shares({{"version", "3"}})[3], 0.25, 0.001);
  settings_.subsets.fallback = SubsetSettings::Fallback::kDefault;
  settings_.subsets.otherwise = {{"stage", "prod"}};
  Publish();
  const std::vector<double> shares = Shares({{"version", "3"}});
  EXPECT_EQ(shares[2], 0);
  EXPECT_NEAR(shares[0], 1.0 / 3, 0.001);
  settings_.subsets.otherwise = {{"stage", "none"}};
  Publish();
  EXPECT_EQ(Pick({{"version", "3"}}), kNone);
}

TEST_F(SubsetTest, OneThatIsDrainedFallsBackAndOneThatFailsPanics) {
  settings_.subsets.fallback = SubsetSettings::Fallback::kAny;
  Fail({0}, kDrained);
  Publish();
  EXPECT_NEAR(Shares({{"version", "1"}})[1], 1.0 / 3, 0.001);
  Fail({0});
  Publish();
  EXPECT_DOUBLE_EQ(Shares({{"version", "1"}})[0], 1);
}

class SlowStartTest : public ClusterBalancerTest,
                      public testing::WithParamInterface<BalancePolicy> {
 protected:
  void SetUp() override {
    settings_.policy = GetParam();
    settings_.slow_start = 30 * kSecond;
    AddMany(3);
    Publish();
  }
  double ShareOfNewcomer() {
    const std::vector<double> shares = Shares();
    return shares[3] / shares[0];
  }
};

TEST_P(SlowStartTest, ANewcomersShareGrowsEvenly) {
  Add().since = now_;
  Publish();
  EXPECT_NEAR(ShareOfNewcomer(), 0.1, 0.02);
  now_ += 9 * kSecond;
  EXPECT_NEAR(ShareOfNewcomer(), 0.3, 0.03);
  now_ += 12 * kSecond;
  EXPECT_NEAR(ShareOfNewcomer(), 0.7, 0.04);
  now_ += 9 * kSecond;
  EXPECT_NEAR(ShareOfNewcomer(), 1, 0.04);
}

TEST_P(SlowStartTest, NewcomersAmongThemselvesShareAll) {
  for (Endpoint& endpoint : endpoints_) endpoint.since = now_;
  Publish();
  for (const double share : Shares()) EXPECT_NEAR(share, 1.0 / 3, 0.01);
}

INSTANTIATE_TEST_SUITE_P(Policies, SlowStartTest,
                         testing::Values(BalancePolicy::kRoundRobin, BalancePolicy::kRandom,
                                         BalancePolicy::kLeastRequest, BalancePolicy::kPeakEwma),
                         [](const auto& tested) {
                           return StrCat({"Policy", Decimal(static_cast<uint64_t>(tested.param))});
                         });

TEST_F(ClusterBalancerTest, NewcomersBeginAtTheMeanLatency) {
  settings_.policy = BalancePolicy::kPeakEwma;
  AddMany(2);
  Publish();
  EXPECT_DOUBLE_EQ(loads_[0]->latency.At(now_, settings_.decay), LatencyAverage::kUnknown);
  loads_[0]->latency.AddPeak(10 * kMillisecond, now_, settings_.decay);
  loads_[1]->latency.AddPeak(30 * kMillisecond, now_, settings_.decay);
  AddMany(1);
  Publish();
  EXPECT_DOUBLE_EQ(loads_[2]->latency.At(now_, settings_.decay), 20.0 * kMillisecond);
  EXPECT_DOUBLE_EQ(loads_[0]->latency.At(now_, settings_.decay), 10.0 * kMillisecond);
}

TEST_F(ClusterBalancerTest, TheTurnOutlivesAChangeOfHealth) {
  AddMany(4);
  Publish();
  while (Pick() != 1) {
  }
  Fail({3});
  Publish();
  EXPECT_EQ(Pick(), 2u);
  EXPECT_EQ(Pick(), 0u);
}

TEST(EndpointSet, FindsItsEndpointsByName) {
  EndpointSet set;
  for (const char* text : {"c:1", "a:1", "b:1"}) {
    Endpoint& endpoint = set.endpoints.emplace_back();
    endpoint.text = text;
    endpoint.session = endpoint.text == "b:1" ? "" : "s" + endpoint.text;
  }
  GroupEndpoints({}, set, nullptr);
  for (const Endpoint& endpoint : set.endpoints) {
    EXPECT_EQ(set.FindByText(endpoint.text), &endpoint);
    if (endpoint.session.empty()) continue;
    EXPECT_EQ(set.FindBySession(endpoint.session), &endpoint);
  }
  for (const char* text : {"", "a", "a:11", "d:1", "0"}) {
    EXPECT_EQ(set.FindByText(text), nullptr) << text;
    EXPECT_EQ(set.FindBySession(text), nullptr) << text;
  }
}

}  // namespace
}  // namespace sluice
