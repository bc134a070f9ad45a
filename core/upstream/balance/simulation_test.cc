// Clients, workers and endpoints under simulated time: what the policies make of endpoints that are
// slow, fail, hang, come and go.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "core/base/strings.h"
#include "core/upstream/balance/cluster_balancer.h"
#include "core/upstream/endpoint_groups.h"

namespace sluice {
namespace {

// How an endpoint behaves from some time on.
struct Behaviour {
  Nanos latency = kMillisecond;
  bool fails = false;
};

class Simulation {
 public:
  Simulation(BalancePolicy policy, size_t endpoints, size_t workers, uint64_t seed = 1)
      : random_(seed) {
    settings_.policy = policy;
    for (size_t i = 0; i < workers; ++i) {
      workers_.push_back(std::make_unique<Worker>(settings_, seed * 1000 + i));
    }
    for (size_t i = 0; i < endpoints; ++i) Add({});
    Publish();
  }

  BalanceSettings& settings() { return settings_; }
  Behaviour& of(size_t endpoint) { return behaviours_.at(endpoint); }
  void Add(const Behaviour& behaviour) {
    Endpoint endpoint;
    endpoint.id = ++last_id_;
    endpoint.text = StrCat({"10.0.0.", Decimal(endpoint.id), ":80"});
    endpoints_.push_back(endpoint);
    behaviours_.push_back(behaviour);
    cells_.push_back(std::make_unique<StatsCell>(0));
    for (auto& worker : workers_) {
      worker->loads.push_back(std::make_unique<EndpointLoad>());
      worker->loads.back()->active = SharedGauge(cells_.back().get());
    }
    counts_.push_back(0);
  }
  void SetFault(size_t endpoint, bool on) {
    endpoints_[endpoint].faults = on ? static_cast<EndpointFaults>(EndpointFault::kFailedCheck) : 0;
    Publish();
  }
  void Publish() {
    auto set = std::make_shared<EndpointSet>();
    set->endpoints = endpoints_;
    GroupEndpoints(settings_, *set, set_.get());
    for (auto& worker : workers_) {
      std::vector<EndpointLoad*> loads;
      for (const auto& load : worker->loads) loads.push_back(load.get());
      worker->balancer.Update(*set, loads, now_);
    }
    set_ = std::move(set);
  }

  // Requests come at this rate to workers at random, for so long.
  void Run(Nanos duration, double rate) {
    const Nanos end = now_ + duration;
    while (true) {
      // Evenly enough, and never two at the same time.
      now_ += static_cast<Nanos>(static_cast<double>(kSecond) / rate * (0.5 + random_.Fraction()));
      if (now_ >= end) break;
      Finish(now_);
      Send(*workers_[random_.Below(workers_.size())]);
    }
    now_ = end;
    Finish(now_);
  }
  // One request comes to each worker at the very same time, none has heard of the others' answers.
  void Burst() {
    for (auto& worker : workers_) Send(*worker);
  }

  std::vector<size_t> TakeCounts() {
    std::vector<size_t> counts(endpoints_.size());
    std::swap(counts, counts_);
    return counts;
  }
  double ShareOf(size_t endpoint) {
    const std::vector<size_t> counts = TakeCounts();
    size_t sum = 0;
    for (const size_t count : counts) sum += count;
    return static_cast<double>(counts[endpoint]) / static_cast<double>(sum);
  }
  uint64_t active(size_t endpoint) const { return cells_[endpoint]->load(); }
  uint64_t most_active(size_t endpoint) const { return most_active_.at(endpoint); }

 private:
  struct Worker {
    Worker(const BalanceSettings& settings, uint64_t seed)
        : random(seed), balancer(settings, random) {}
    Random random;
    std::vector<std::unique_ptr<EndpointLoad>> loads;
    ClusterBalancer balancer;
  };
  struct Request {
    Nanos end;
    Nanos latency;
    Worker* worker;
    size_t endpoint;
    bool failed;
    bool operator>(const Request& other) const { return end > other.end; }
  };

  void Send(Worker& worker) {
    const size_t chosen = worker.balancer.Pick({worker.random, now_});
    ASSERT_NE(chosen, ClusterBalancer::kNoEndpoint);
    ++counts_[chosen];
    worker.loads[chosen]->active.Add();
    most_active_.resize(endpoints_.size());
    most_active_[chosen] = std::max(most_active_[chosen], active(chosen));
    const Behaviour& behaviour = behaviours_[chosen];
    // A little noise, as there always is.
    const auto latency =
        static_cast<Nanos>(static_cast<double>(behaviour.latency) * (0.9 + random_.Fraction() / 5));
    running_.push({now_ + latency, latency, &worker, chosen, behaviour.fails});
  }
  void Finish(Nanos until) {
    while (!running_.empty() && running_.top().end <= until) {
      const Request request = running_.top();
      running_.pop();
      EndpointLoad& load = *request.worker->loads[request.endpoint];
      load.active.Sub();
      const Nanos latency = request.failed ? std::max(request.latency, kSecond) : request.latency;
      const BalanceFeedback feedback = settings_.feedback();
      if (feedback.peak_latency) load.latency.AddPeak(latency, request.end, settings_.decay);
      if (feedback.mean_latency) load.latency.AddToMean(latency, request.end, settings_.decay);
    }
  }

  BalanceSettings settings_;
  Random random_;
  Nanos now_ = 1000 * kSecond;
  uint32_t last_id_ = 0;
  std::vector<Endpoint> endpoints_;
  std::vector<Behaviour> behaviours_;
  std::vector<std::unique_ptr<StatsCell>> cells_;
  std::vector<size_t> counts_;
  std::vector<uint64_t> most_active_;
  std::vector<std::unique_ptr<Worker>> workers_;
  EndpointSetPtr set_;
  std::priority_queue<Request, std::vector<Request>, std::greater<>> running_;
};

class BusyAware : public testing::TestWithParam<BalancePolicy> {};
class LatencyAware : public testing::TestWithParam<BalancePolicy> {};

std::string NameOf(const testing::TestParamInfo<BalancePolicy>& tested) {
  switch (tested.param) {
    case BalancePolicy::kLeastRequest:
      return "LeastRequest";
    case BalancePolicy::kLeastConnections:
      return "LeastConnections";
    case BalancePolicy::kPeakEwma:
      return "PeakEwma";
    default:
      return "LeastResponseTime";
  }
}

// One of four gets slow by 50 ms: its share of the second after the first one of slowness.
TEST_P(BusyAware, FindsASlowEndpointWithinASecondOfItsTraffic) {
  Simulation simulation(GetParam(), 4, 2);
  simulation.Run(2 * kSecond, 2000);
  simulation.TakeCounts();
  simulation.of(1).latency = 50 * kMillisecond;
  simulation.Run(kSecond, 2000);
  simulation.TakeCounts();
  simulation.Run(kSecond, 2000);
  EXPECT_LT(simulation.ShareOf(1), 0.06);
}

TEST_P(BusyAware, AnEndpointThatHangsGetsNoMore) {
  Simulation simulation(GetParam(), 10, 4);
  simulation.Run(kSecond, 1000);
  simulation.of(3).latency = 3600 * kSecond;
  simulation.Run(3 * kSecond, 1000);
  simulation.TakeCounts();
  simulation.Run(5 * kSecond, 1000);
  EXPECT_LT(simulation.ShareOf(3), 0.01);
}

// Eight workers, each with what it alone knows, meet fresh endpoints: nobody is trampled.
TEST_P(BusyAware, WorkersDoNotRunToTheSameEndpoint) {
  for (const size_t endpoints : {8u, 50u, 200u}) {
    Simulation simulation(GetParam(), endpoints, 8);
    for (size_t i = 0; i < endpoints; ++i) simulation.of(i).latency = 20 * kMillisecond;
    simulation.Run(2 * kSecond, 4000);
    for (int i = 0; i < 100; ++i) {
      simulation.Burst();
      simulation.Run(50 * kMillisecond, 4000);
    }
    // 4000/s for 20 ms, shared evenly.
    const double fair = 80.0 / static_cast<double>(endpoints);
    for (size_t i = 0; i < endpoints; ++i) {
      EXPECT_LE(static_cast<double>(simulation.most_active(i)), 2 * fair + 6) << endpoints;
    }
  }
}

TEST_P(BusyAware, ANewcomerIsNeitherFloodedNorStarved) {
  Simulation simulation(GetParam(), 9, 8);
  for (size_t i = 0; i < 9; ++i) simulation.of(i).latency = 5 * kMillisecond;
  simulation.Run(5 * kSecond, 4000);
  simulation.TakeCounts();
  simulation.Add({5 * kMillisecond, false});
  simulation.Publish();
  simulation.Run(5 * kSecond, 4000);
  EXPECT_LE(simulation.most_active(9), 12u) << "its share is 2";
  const double share = simulation.ShareOf(9);
  EXPECT_GT(share, 0.03);
  EXPECT_LT(share, 0.2);
}

TEST_P(BusyAware, SharesUnderLoadFollowTheCapacity) {
  Simulation simulation(GetParam(), 200, 4);
  for (size_t i = 0; i < 200; ++i) simulation.of(i).latency = 10 * kMillisecond;
  simulation.Run(5 * kSecond, 20'000);
  simulation.TakeCounts();
  simulation.Run(10 * kSecond, 20'000);
  const std::vector<size_t> counts = simulation.TakeCounts();
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  EXPECT_GT(*least, 600u);
  EXPECT_LT(*most, 1400u);
}

TEST_P(BusyAware, EndpointsThatFlapAndLeaveLoseNothing) {
  Simulation simulation(GetParam(), 20, 4);
  for (int round = 0; round < 20; ++round) {
    simulation.SetFault(static_cast<size_t>(round % 5), round % 2 == 0);
    simulation.Run(200 * kMillisecond, 2000);
  }
  for (size_t i = 0; i < 5; ++i) simulation.SetFault(i, i % 2 == 0);
  simulation.Run(kSecond, 2000);
  simulation.TakeCounts();
  simulation.Run(kSecond, 2000);
  const std::vector<size_t> counts = simulation.TakeCounts();
  for (size_t i = 0; i < 20; ++i) {
    const bool out = i < 5 && i % 2 == 0;
    EXPECT_TRUE(!out || counts[i] == 0) << i;
    // With so little in flight the best few are enough for this one.
    if (GetParam() == BalancePolicy::kLeastResponseTime) continue;
    EXPECT_TRUE(out || counts[i] > 0) << i;
  }
  simulation.Run(10 * kSecond, 1);
  for (size_t i = 0; i < 20; ++i) EXPECT_LE(simulation.active(i), 1u);
}

// It answers sooner than the others, with errors.
TEST_P(LatencyAware, AnEndpointThatFailsFastAttractsNothing) {
  Simulation simulation(GetParam(), 5, 4);
  for (size_t i = 0; i < 5; ++i) simulation.of(i).latency = 5 * kMillisecond;
  simulation.Run(3 * kSecond, 2000);
  simulation.of(2) = {kMillisecond / 10, true};
  simulation.Run(kSecond, 2000);
  simulation.TakeCounts();
  simulation.Run(20 * kSecond, 2000);
  EXPECT_LT(simulation.ShareOf(2), 0.005);
}

TEST_P(LatencyAware, OneThatRecoversIsFoundAgain) {
  Simulation simulation(GetParam(), 5, 4);
  for (size_t i = 0; i < 5; ++i) simulation.of(i).latency = 5 * kMillisecond;
  simulation.of(2).fails = true;
  simulation.Run(5 * kSecond, 2000);
  simulation.of(2).fails = false;
  simulation.Run(90 * kSecond, 2000);
  simulation.TakeCounts();
  simulation.Run(10 * kSecond, 2000);
  EXPECT_GT(simulation.ShareOf(2), 0.05);
}

TEST(PeakEwma, LooksSeldomAtWhatItKnowsToBeSlow) {
  Simulation simulation(BalancePolicy::kPeakEwma, 4, 1);
  simulation.of(1).latency = 50 * kMillisecond;
  simulation.Run(2 * kSecond, 2000);
  simulation.TakeCounts();
  simulation.Run(5 * kSecond, 2000);
  const double share = simulation.ShareOf(1);
  EXPECT_GT(share, 0) << "explored";
  EXPECT_LT(share, 0.002) << "too few for a p99 of 50 ms";
}

TEST(PeakEwma, WithoutExplorationOneOutOfSightIsNotTried) {
  Simulation simulation(BalancePolicy::kPeakEwma, 4, 1);
  simulation.settings().exploration = 0;
  simulation.of(1).latency = 500 * kMillisecond;
  simulation.Run(2 * kSecond, 2000);
  simulation.TakeCounts();
  simulation.Run(5 * kSecond, 2000);
  EXPECT_EQ(simulation.ShareOf(1), 0);
}

INSTANTIATE_TEST_SUITE_P(Policies, BusyAware,
                         testing::Values(BalancePolicy::kLeastRequest,
                                         BalancePolicy::kLeastConnections, BalancePolicy::kPeakEwma,
                                         BalancePolicy::kLeastResponseTime),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(Policies, LatencyAware,
                         testing::Values(BalancePolicy::kPeakEwma,
                                         BalancePolicy::kLeastResponseTime),
                         NameOf);

}  // namespace
}  // namespace sluice
