// Eight workers with one cluster, each with what it alone knows and the counts that all share: a
// burst that comes to all of them at the very same time tramples nobody.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "core/base/strings.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"
#include "core/upstream/cluster.h"
#include "core/upstream/try_meter.h"
#include "core/upstream/worker_cluster.h"
#include "tests/support/checked_cluster.h"

namespace sluice::test {
namespace {

constexpr uint32_t kWorkers = 8;
constexpr size_t kEndpoints = 20;

class Herd : public testing::TestWithParam<const char*> {
 protected:
  struct Worker {
    Worker(Loop& loop, const StatsRow& row, const Cluster& cluster, uint64_t seed)
        : random(seed), use(loop, random, row, cluster.settings(), cluster.endpoints()) {}
    Random random;
    WorkerCluster use;
  };
  struct Request {
    Nanos end;
    Nanos latency;
    std::unique_ptr<TryMeter> meter;
    bool operator>(const Request& other) const { return end > other.end; }
  };

  void SetUp() override {
    std::vector<std::string> endpoints;
    for (size_t i = 1; i <= kEndpoints; ++i) {
      endpoints.push_back(StrCat({"10.0.0.", Decimal(i), ":80"}));
    }
    const config::Cluster config =
        CheckedClusterConfig(endpoints, "", StrCat({"balance: ", GetParam(), ", "}));
    cluster_ = std::move(*Cluster::Create(config, *loop_, directory_));
    for (uint32_t i = 0; i < kWorkers; ++i) {
      workers_.push_back(
          std::make_unique<Worker>(*loop_, segment_->worker_row(i), *cluster_, i + 1));
    }
  }
  void TearDown() override { Finish(INT64_MAX); }

  void Send(Worker& worker) {
    WorkerEndpoint* const endpoint = worker.use.Pick();
    ASSERT_NE(endpoint, nullptr);
    Request request;
    request.meter = std::make_unique<TryMeter>();
    request.meter->Begin(worker.use, *endpoint);
    request.latency = static_cast<Nanos>((18 + 4 * random_.Fraction()) * kMillisecond);
    request.end = loop_->now() + request.latency;
    running_.push_back(std::move(request));
    std::push_heap(running_.begin(), running_.end(), std::greater<>());
    const EndpointSet& set = *cluster_->endpoints();
    for (const Endpoint& each : set.endpoints) most_ = std::max(most_, each.active.value());
  }
  void Finish(Nanos until) {
    while (!running_.empty() && running_.front().end <= until) {
      std::pop_heap(running_.begin(), running_.end(), std::greater<>());
      const Request request = std::move(running_.back());
      running_.pop_back();
      request.meter->OnHead(200, headers_, request.latency, request.end);
      request.meter->Judge(TryOutcome::kAnswered, request.latency, request.end);
      request.meter->End();
    }
  }
  // At this rate, to workers at random.
  void Run(Nanos duration, Nanos between) {
    for (Nanos passed = 0; passed < duration; passed += between) {
      clock_.Advance(between);
      loop_->RunOnce(0);
      Finish(loop_->now());
      Send(*workers_[random_.Below(kWorkers)]);
    }
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create({.workers = kWorkers}).value();
  StatsDirectory directory_{*segment_};
  std::unique_ptr<Cluster> cluster_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Arena arena_;
  Headers headers_{arena_};
  Random random_{7};
  std::vector<Request> running_;  // a heap, the first to end in front
  uint64_t most_ = 0;             // in flight at one endpoint
};

// 4,000 requests a second take 20 ms: 4 are in flight at each endpoint. With a burst of one for
// each worker it is 4.4.
TEST_P(Herd, NobodyIsTrampled) {
  Run(kSecond, 250 * kMicrosecond);
  most_ = 0;
  for (int i = 0; i < 200; ++i) {
    for (const auto& worker : workers_) Send(*worker);
    Run(20 * kMillisecond, 250 * kMicrosecond);
  }
  EXPECT_LE(most_, 11u);
}

// All begin at once, and nobody has been measured.
TEST_P(Herd, AColdStartIsShared) {
  for (int i = 0; i < 10; ++i) {
    for (const auto& worker : workers_) Send(*worker);
  }
  EXPECT_LE(most_, 8u) << "80 for 20 endpoints";
}

INSTANTIATE_TEST_SUITE_P(Policies, Herd,
                         testing::Values("least_request", "least_connections", "peak_ewma",
                                         "least_response_time"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace sluice::test
