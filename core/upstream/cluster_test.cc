#include "core/upstream/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/base/strings.h"
#include "core/config/cluster.pb.h"
#include "core/event/loop.h"
#include "core/stats/directory.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"
#include "core/upstream/endpoint_series.h"
#include "tests/support/fake_name_resolver.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ClusterTest : public testing::Test {
 protected:
  static config::Cluster ConfigOf(const std::vector<std::string>& endpoints) {
    config::Cluster config;
    config.set_name("api");
    for (const std::string& endpoint : endpoints) {
      config.add_endpoints()->set_address(endpoint);
      config.mutable_endpoints()->rbegin()->set_weight(1);
    }
    return config;
  }
  void Create(const config::Cluster& config) {
    auto cluster =
        Cluster::Create(config, *loop_, directory_, std::make_unique<FakeNameResolver>(dns_));
    ASSERT_TRUE(cluster) << cluster.error().detail;
    cluster_ = std::move(*cluster);
  }
  void Start() {
    cluster_->Start([this] { ++changes_; });
  }
  void Advance(Nanos by) {
    clock_.Advance(by);
    loop_->RunOnce(0);
  }
  std::vector<std::string> Texts() {
    std::vector<std::string> texts;
    for (const Endpoint& endpoint : cluster_->endpoints()->endpoints) {
      texts.push_back(endpoint.text);
    }
    return texts;
  }
  int64_t GaugeOfEndpoints() {
    const auto id = reader_.Find("sluice_upstream_endpoints", {{"cluster", "api"}});
    return id ? reader_.gauge(*id) : -1;
  }
  uint64_t CounterOf(std::string_view name, const LabelList& labels) {
    const auto id = reader_.Find(name, labels);
    EXPECT_TRUE(id) << name;
    return id ? reader_.counter(*id) : 0;
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create({}).value();
  StatsDirectory directory_{*segment_};
  StatsReader reader_{*segment_};
  FakeNameResolver::Questions dns_;
  int changes_ = 0;
  std::unique_ptr<Cluster> cluster_;
};

TEST_F(ClusterTest, TakesItsSettingsFromTheConfig) {
  config::Cluster config = ConfigOf({"10.0.0.1:80"});
  config.mutable_balance()->set_policy(config::Balance::RANDOM);
  config.set_connect_timeout(250 * kMillisecond);
  config.set_proxy_protocol(config::Cluster::V2);
  config.mutable_pool()->set_idle(0);
  config.mutable_pool()->set_idle_timeout(7 * kSecond);
  config.mutable_pool()->set_max_age(0);
  config.mutable_pool()->set_max_requests(9);
  config.mutable_limits()->set_head_size(2048);
  config.mutable_limits()->set_header_count(12);
  Create(config);
  const ClusterSettings& settings = cluster_->settings();
  EXPECT_EQ(settings.name, "api");
  EXPECT_EQ(settings.balance.policy, BalancePolicy::kRandom);
  EXPECT_EQ(settings.connect_timeout, 250 * kMillisecond);
  EXPECT_EQ(settings.proxy_protocol, ProxyProtocolVersion::kV2);
  EXPECT_EQ(settings.pool.idle, 0u);
  EXPECT_EQ(settings.pool.idle_timeout, 7 * kSecond);
  EXPECT_EQ(settings.pool.max_age, 0);
  EXPECT_EQ(settings.pool.max_requests, 9u);
  EXPECT_EQ(settings.codec.head_size, 2048u);
  EXPECT_EQ(settings.codec.header_count, 12u);
}

TEST_F(ClusterTest, OfAddressesAloneIsWarmAndNeverChanges) {
  config::Cluster config = ConfigOf({"10.0.0.1:80", "[::1]:80", "unix:@api"});
  config.mutable_endpoints(1)->set_weight(4);
  Create(config);
  EXPECT_TRUE(cluster_->warm());
  EXPECT_THAT(Texts(), ElementsAre("10.0.0.1:80", "[::1]:80", "unix:@api"));
  EXPECT_EQ(cluster_->endpoints()->version, 1u);
  EXPECT_EQ(GaugeOfEndpoints(), 3);
  Start();
  Advance(3600 * kSecond);
  EXPECT_EQ(changes_, 0);
  EXPECT_THAT(dns_.asked, IsEmpty());
}

TEST_F(ClusterTest, BeginsWithItsAddressesAndAddsWhatNamesGive) {
  Create(ConfigOf({"a.test:80", "10.0.0.9:80", "b.test:80"}));
  EXPECT_FALSE(cluster_->warm());
  EXPECT_THAT(Texts(), ElementsAre("10.0.0.9:80"));
  EXPECT_THAT(dns_.asked, IsEmpty());
  Start();
  EXPECT_EQ(changes_, 0);
  const EndpointSetPtr first = cluster_->endpoints();
  dns_.Answer("a.test", {"10.0.0.2", "10.0.0.1"});
  EXPECT_EQ(changes_, 1);
  EXPECT_FALSE(cluster_->warm());
  EXPECT_THAT(Texts(), ElementsAre("10.0.0.1:80", "10.0.0.2:80", "10.0.0.9:80"));
  EXPECT_EQ(cluster_->endpoints()->endpoints[0].hostname, "a.test");
  EXPECT_EQ(cluster_->endpoints()->endpoints[2].hostname, "");
  EXPECT_EQ(cluster_->endpoints()->version, first->version + 1);
  EXPECT_EQ(first->endpoints.size(), 1u) << "a published set does not change";
  EXPECT_EQ(GaugeOfEndpoints(), 3);

  // No new endpoint, but warm now.
  dns_.Refuse("b.test");
  EXPECT_EQ(changes_, 2);
  EXPECT_TRUE(cluster_->warm());
  EXPECT_EQ(cluster_->endpoints()->version, first->version + 1);
}

TEST_F(ClusterTest, PublishesASetOnlyWhenItChanged) {
  Create(ConfigOf({"a.test:80"}));
  Start();
  dns_.Answer("a.test", {"10.0.0.1", "10.0.0.2"});
  const EndpointSetPtr set = cluster_->endpoints();
  Advance(61 * kSecond);
  dns_.Answer("a.test", {"10.0.0.2", "10.0.0.1"});
  Advance(61 * kSecond);
  dns_.Refuse("a.test");
  EXPECT_EQ(cluster_->endpoints(), set);
  EXPECT_EQ(changes_, 1);
  Advance(2 * kSecond);
  dns_.Answer("a.test", {"10.0.0.2"});
  EXPECT_EQ(changes_, 2);
  EXPECT_THAT(Texts(), ElementsAre("10.0.0.2:80"));
  EXPECT_EQ(CounterOf("sluice_upstream_endpoint_changes_total", {{"cluster", "api"}}), 2u);
  EXPECT_EQ(CounterOf("sluice_upstream_dns_answers_total", {{"cluster", "api"}}), 3u);
  EXPECT_EQ(CounterOf("sluice_upstream_dns_failures_total", {{"cluster", "api"}}), 1u);
}

TEST_F(ClusterTest, OneAnswerThatWarmsAndChangesIsToldOnce) {
  Create(ConfigOf({"a.test:80"}));
  std::vector<std::pair<bool, size_t>> seen;
  cluster_->Start(
      [&] { seen.emplace_back(cluster_->warm(), cluster_->endpoints()->endpoints.size()); });
  dns_.Answer("a.test", {"10.0.0.1"});
  EXPECT_THAT(seen, ElementsAre(std::make_pair(true, size_t{1})));
}

TEST_F(ClusterTest, TheGaugeGivesBackWhatTheClusterHad) {
  Create(ConfigOf({"10.0.0.1:80", "10.0.0.2:80"}));
  EXPECT_EQ(GaugeOfEndpoints(), 2);
  cluster_.reset();
  EXPECT_EQ(GaugeOfEndpoints(), 0);
}

TEST_F(ClusterTest, EachEndpointCountsUnderItsAddress) {
  Create(ConfigOf({"10.0.0.1:80", "a.test:80"}));
  Start();
  dns_.Answer("a.test", {"10.0.0.2"});
  const StatsRow row = segment_->worker_row(0);
  uint64_t n = 0;
  for (const Endpoint& endpoint : cluster_->endpoints()->endpoints) {
    endpoint.stats.Bind(row).requests.Inc(++n);
  }
  EXPECT_EQ(CounterOf("sluice_endpoint_requests_total",
                      {{"cluster", "api"}, {"endpoint", "10.0.0.1:80"}}),
            1u);
  EXPECT_EQ(CounterOf("sluice_endpoint_requests_total",
                      {{"cluster", "api"}, {"endpoint", "10.0.0.2:80"}}),
            2u);
}

// Addresses that come and go behind a name must not fill the stats directory, which frees nothing.
TEST_F(ClusterTest, EndpointsOfDnsBeyondTheBoundShareOneSeries) {
  Create(ConfigOf({"10.1.0.1:80", "a.test:80"}));
  Start();
  const auto ip = [](size_t i) {
    return StrCat({"10.0.", Decimal(i / 250), ".", Decimal(i % 250)});
  };
  const size_t most = EndpointSeries::kMostFromDns;
  uint32_t series = 0;
  for (size_t i = 0; i < most + 50; ++i) {
    dns_.Answer("a.test", {ip(i)}, kSecond);
    if (i == most) series = reader_.series_count();
    Advance(2 * kSecond);
  }
  EXPECT_EQ(reader_.series_count(), series);
  const auto found = [&](const std::string& endpoint) {
    return reader_
        .Find("sluice_endpoint_requests_total", {{"cluster", "api"}, {"endpoint", endpoint}})
        .has_value();
  };
  EXPECT_TRUE(found("10.1.0.1:80"));
  EXPECT_TRUE(found(ip(most - 1) + ":80"));
  EXPECT_FALSE(found(ip(most) + ":80"));

  // One that had its own when there was room has it again; the others are summed.
  dns_.Answer("a.test", {ip(0), ip(most), ip(most + 1)});
  for (const Endpoint& endpoint : cluster_->endpoints()->endpoints) {
    endpoint.stats.Bind(segment_->worker_row(0)).requests.Inc();
  }
  EXPECT_EQ(CounterOf("sluice_endpoint_requests_total",
                      {{"cluster", "api"}, {"endpoint", ip(0) + ":80"}}),
            1u);
  EXPECT_EQ(
      CounterOf("sluice_endpoint_requests_total", {{"cluster", "api"}, {"endpoint", "other"}}), 2u);
}

TEST_F(ClusterTest, AFaultTakesAnEndpointOut) {
  Create(ConfigOf({"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"}));
  Start();
  const EndpointSetPtr before = cluster_->endpoints();
  EXPECT_TRUE(cluster_->SetFault("10.0.0.1:80", EndpointFault::kDrained, true));
  EXPECT_EQ(changes_, 1);
  EXPECT_TRUE(before->endpoints[0].usable()) << "a set never changes";
  EXPECT_FALSE(cluster_->endpoints()->endpoints[0].usable());
  EXPECT_EQ(cluster_->endpoints()->groups[0].members.size(), 2u);
  EXPECT_EQ(cluster_->endpoints()->endpoints[0].id, before->endpoints[0].id);
  EXPECT_TRUE(cluster_->SetFault("10.0.0.1:80", EndpointFault::kDrained, true));
  EXPECT_EQ(changes_, 1) << "that was so before";
  EXPECT_FALSE(cluster_->SetFault("10.0.0.4:80", EndpointFault::kDrained, true));
  const auto usable = reader_.Find("sluice_upstream_endpoints_usable", {{"cluster", "api"}});
  EXPECT_EQ(reader_.gauge(*usable), 2);

  Advance(5 * kSecond);
  cluster_->SetFaults({"10.0.0.1:80", "10.0.0.2:80"}, EndpointFault::kDrained, false);
  EXPECT_EQ(changes_, 2);
  EXPECT_TRUE(cluster_->endpoints()->endpoints[0].usable());
  EXPECT_EQ(cluster_->endpoints()->endpoints[0].since, loop_->now()) << "as good as new";
  EXPECT_EQ(cluster_->endpoints()->endpoints[1].since, 0);
  EXPECT_EQ(reader_.gauge(*usable), 3);
  EXPECT_EQ(CounterOf("sluice_upstream_endpoint_fault_changes_total", {{"cluster", "api"}}), 2u);
}

TEST_F(ClusterTest, WordsAreSharedOnceThereIsSomethingToSay) {
  const auto words = [this] {
    return directory_
        .FindWords("endpoint_health", {{"cluster", "api"}, {"endpoint", "10.0.0.1:80"}})
        .has_value();
  };
  Create(ConfigOf({"10.0.0.1:80", "10.0.0.2:80"}));
  EXPECT_FALSE(words());
  cluster_->SetFault("10.0.0.1:80", EndpointFault::kDrained, true);
  EXPECT_TRUE(words());
  EXPECT_FALSE(cluster_->endpoints()->FindByText("10.0.0.1:80")->usable());
  Create(ConfigOf({"10.0.0.1:80", "10.0.0.2:80"}));
  EXPECT_FALSE(cluster_->endpoints()->FindByText("10.0.0.1:80")->usable());
}

TEST_F(ClusterTest, WhatAnOperatorDrainedStaysSoOverDnsAndTheNextClusterOfTheName) {
  Create(ConfigOf({"a.test:80"}));
  Start();
  dns_.Answer("a.test", {"10.0.0.1", "10.0.0.2"});
  cluster_->SetFault("10.0.0.2:80", EndpointFault::kDrained, true);
  cluster_->SetFault("10.0.0.1:80", EndpointFault::kEjected, true);
  Advance(61 * kSecond);
  dns_.Answer("a.test", {"10.0.0.1"});
  Advance(61 * kSecond);
  dns_.Answer("a.test", {"10.0.0.1", "10.0.0.2"});
  EXPECT_FALSE(cluster_->endpoints()->FindByText("10.0.0.2:80")->usable());

  // After a reload that changed it, or in the next process: who checks begins anew.
  Create(ConfigOf({"10.0.0.1:80", "10.0.0.2:80"}));
  EXPECT_TRUE(cluster_->endpoints()->endpoints[0].usable());
  EXPECT_FALSE(cluster_->endpoints()->endpoints[1].usable());
}

// There were no words yet when this one looked for them at first.
TEST_F(ClusterTest, WhatTheOneBeforeIsToldLaterHoldsAtTheNextChange) {
  Create(ConfigOf({"10.0.0.1:80", "10.0.0.2:80"}));
  const std::unique_ptr<Cluster> before = std::move(cluster_);
  Create(ConfigOf({"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"}));
  EXPECT_TRUE(before->SetFault("10.0.0.1:80", EndpointFault::kDrained, true));
  EXPECT_TRUE(cluster_->endpoints()->endpoints[0].usable());
  EXPECT_TRUE(cluster_->SetFault("10.0.0.2:80", EndpointFault::kDrained, true));
  EXPECT_FALSE(cluster_->endpoints()->endpoints[0].usable());
  EXPECT_TRUE(cluster_->endpoints()->endpoints[2].usable());
}

// While two generations of the configuration live, each has a cluster of the name.
TEST_F(ClusterTest, AnOperatorsWordReachesBothClustersOfAName) {
  Create(ConfigOf({"10.0.0.1:80", "10.0.0.2:80"}));
  const std::unique_ptr<Cluster> before = std::move(cluster_);
  Create(ConfigOf({"10.0.0.1:80", "10.0.0.3:80"}));
  for (Cluster* cluster : {before.get(), cluster_.get()}) {
    EXPECT_TRUE(cluster->SetFault("10.0.0.1:80", EndpointFault::kDrained, true));
    EXPECT_FALSE(cluster->endpoints()->endpoints[0].usable());
  }
  const auto drained = reader_.Find("sluice_upstream_endpoints_drained", {{"cluster", "api"}});
  EXPECT_EQ(reader_.gauge(*drained), 2);
  for (Cluster* cluster : {before.get(), cluster_.get()}) {
    EXPECT_TRUE(cluster->SetFault("10.0.0.1:80", EndpointFault::kDrained, false));
    EXPECT_TRUE(cluster->endpoints()->endpoints[0].usable());
  }
  EXPECT_EQ(reader_.gauge(*drained), 0);
}

TEST_F(ClusterTest, EndpointsWithoutSeriesOfTheirOwnHaveFaultsAndCountsToo) {
  config::Cluster config = ConfigOf({"a.test:80"});
  config.mutable_balance()->set_policy(config::Balance::LEAST_REQUEST);
  Create(config);
  Start();
  std::vector<std::string> many;
  for (size_t i = 0; i < EndpointSeries::kMostFromDns + 2; ++i) {
    many.push_back("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250));
  }
  dns_.Answer("a.test", many);
  const std::vector<Endpoint>& endpoints = cluster_->endpoints()->endpoints;
  const SharedGauge a = endpoints[EndpointSeries::kMostFromDns].active;
  const SharedGauge b = endpoints[EndpointSeries::kMostFromDns + 1].active;
  const std::string a_text = endpoints[EndpointSeries::kMostFromDns].text;
  a.Add();
  EXPECT_EQ(a.value(), 1u);
  EXPECT_EQ(b.value(), 0u);
  cluster_->SetFault(a_text, EndpointFault::kDrained, true);
  EXPECT_FALSE(cluster_->endpoints()->FindByText(a_text)->usable());

  // It leaves with a request in flight, and others come: its count is not theirs.
  many.resize(EndpointSeries::kMostFromDns);
  many.push_back("10.1.0.1");
  many.push_back("10.1.0.2");
  Advance(61 * kSecond);
  dns_.Answer("a.test", many);
  EXPECT_EQ(cluster_->endpoints()->FindByText("10.1.0.1:80")->active.value(), 0u);
  EXPECT_EQ(cluster_->endpoints()->FindByText("10.1.0.2:80")->active.value(), 0u);
  EXPECT_TRUE(cluster_->endpoints()->FindByText("10.1.0.1:80")->usable());
  a.Sub();
  many.back() = a_text.substr(0, a_text.find(':'));
  Advance(61 * kSecond);
  dns_.Answer("a.test", many);
  EXPECT_FALSE(cluster_->endpoints()->FindByText(a_text)->usable()) << "still drained";
}

// A worker may not have heard yet that it left.
TEST_F(ClusterTest, WhatIsCountedOfAnEndpointThatLeftIsNotASuccessors) {
  config::Cluster config = ConfigOf({"a.test:80"});
  config.mutable_balance()->set_policy(config::Balance::LEAST_REQUEST);
  Create(config);
  Start();
  std::vector<std::string> many;
  for (size_t i = 0; i < EndpointSeries::kMostFromDns; ++i) {
    many.push_back(StrCat({"10.0.", Decimal(i / 250), ".", Decimal(i % 250)}));
  }
  const auto last_is = [&](const char* ip) {
    many.resize(EndpointSeries::kMostFromDns);
    many.push_back(ip);
    dns_.Answer("a.test", many, kSecond);
    Advance(2 * kSecond);
    return cluster_->endpoints()->FindByText(StrCat({ip, ":80"}))->active;
  };
  const SharedGauge left = last_is("10.1.0.1");
  const SharedGauge next = last_is("10.1.0.2");
  left.Add();
  EXPECT_EQ(next.value(), 0u);
  left.Sub();
  Advance(61 * kSecond);
  const SharedGauge later = last_is("10.1.0.3");
  left.Add();
  EXPECT_EQ(later.value(), 1u) << "they are used again by then";
  left.Sub();
}

TEST_F(ClusterTest, NewcomersAreKnownAsSuch) {
  Create(ConfigOf({"a.test:80"}));
  Start();
  dns_.Answer("a.test", {"10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(cluster_->endpoints()->endpoints[0].since, 0) << "the first are not";
  Advance(61 * kSecond);
  dns_.Answer("a.test", {"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  EXPECT_EQ(cluster_->endpoints()->endpoints[1].since, 0);
  EXPECT_EQ(cluster_->endpoints()->endpoints[2].since, loop_->now());
}

TEST_F(ClusterTest, AnEndpointThatIsNoneIsAnError) {
  const auto cluster = Cluster::Create(ConfigOf({"10.0.0.1:80", "nowhere"}), *loop_, directory_);
  ASSERT_FALSE(cluster);
  EXPECT_THAT(cluster.error().detail, HasSubstr("endpoint nowhere"));
}

}  // namespace
}  // namespace sluice
