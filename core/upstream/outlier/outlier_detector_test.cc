#include "core/upstream/outlier/outlier_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/config/cluster.pb.h"
#include "core/event/loop.h"
#include "core/stats/directory.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"
#include "core/upstream/cluster.h"
#include "core/upstream/outlier/outlier_meter.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A cluster of the main thread, and what workers would count.
class OutlierDetectorTest : public testing::Test {
 protected:
  OutlierDetectorTest() {
    config::OutlierDetection& detection = *config_.mutable_outlier_detection();
    detection.set_consecutive_5xx(5);
    detection.set_interval(10 * kSecond);
    detection.set_min_endpoints(2);
    detection.set_min_requests(100);
    detection.set_ejection_time(30 * kSecond);
    detection.set_max_ejection_time(300 * kSecond);
    detection.set_max_ejection_percent(50);
    config_.set_name("api");
  }
  config::OutlierDetection& detection() { return *config_.mutable_outlier_detection(); }

  std::unique_ptr<Cluster> Make(int endpoints) {
    config_.clear_endpoints();
    for (int i = 0; i < endpoints; ++i) {
      config::Endpoint& endpoint = *config_.add_endpoints();
      endpoint.set_address(TextOf(i));
      endpoint.set_weight(1);
    }
    auto cluster = Cluster::Create(config_, *loop_, directory_);
    EXPECT_TRUE(cluster);
    return std::move(*cluster);
  }
  void Start(int endpoints) {
    cluster_ = Make(endpoints);
    cluster_->Start([this] { ++published_; });
  }
  static std::string TextOf(int endpoint) { return "10.0.0." + std::to_string(endpoint) + ":80"; }

  static const OutlierCounts& CountsOf(const Cluster& cluster, size_t endpoint) {
    return cluster.endpoints()->endpoints[endpoint].outliers;
  }
  // A worker's tries at an endpoint.
  void Try(size_t endpoint, int count, TryOutcome outcome, uint16_t status, Nanos latency = 0) {
    OutlierMeter meter(*cluster_->settings().outliers, cluster_->settings().outlier_changes);
    meter.SetCounts(CountsOf(*cluster_, endpoint));
    for (int i = 0; i < count; ++i) {
      meter.OnLatency(latency);
      // The clock of a test stands still: each is added at once.
      meter.OnEnd(outcome, status, loop_->now() + i * kSecond);
    }
  }
  void Fail(size_t endpoint, int count = 5) { Try(endpoint, count, TryOutcome::kServerError, 500); }
  void Succeed(size_t endpoint, int count, Nanos latency = 0) {
    Try(endpoint, count, TryOutcome::kAnswered, 200, latency);
  }

  void Advance(Nanos by) {
    clock_.Advance(by);
    loop_->RunOnce(0);
  }
  // Step by step, as a process goes.
  void Wait(Nanos time) {
    for (Nanos waited = 0; waited < time; waited += 50 * kMillisecond) Advance(50 * kMillisecond);
  }
  // Until the detector looks, without a sweep.
  void Look() { Advance(OutlierDetector::kLookEvery + kMillisecond); }
  void NextSweep() { Advance(10 * kSecond + kMillisecond); }

  static std::vector<int> EjectedOf(const Cluster& cluster) {
    std::vector<int> ejected;
    for (size_t i = 0; i < cluster.endpoints()->endpoints.size(); ++i) {
      const Endpoint& endpoint = cluster.endpoints()->endpoints[i];
      if (HasFault(endpoint.faults, EndpointFault::kEjected))
        ejected.push_back(static_cast<int>(i));
    }
    return ejected;
  }
  std::vector<int> Ejected() { return EjectedOf(*cluster_); }
  uint64_t Ejections(std::string_view cause) {
    const auto id =
        reader_.Find("sluice_upstream_ejections_total", {{"cluster", "api"}, {"cause", cause}});
    return id ? reader_.counter(*id) : 0;
  }
  uint64_t Refused() {
    const auto id = reader_.Find("sluice_upstream_ejections_refused_total", {{"cluster", "api"}});
    return id ? reader_.counter(*id) : 0;
  }
  int64_t Gauge() {
    const auto id = reader_.Find("sluice_upstream_endpoints_ejected", {{"cluster", "api"}});
    return id ? reader_.gauge(*id) : -1;
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create({}).value();
  StatsDirectory directory_{*segment_};
  StatsReader reader_{*segment_};
  config::Cluster config_;
  int published_ = 0;
  std::unique_ptr<Cluster> cluster_;
};

TEST_F(OutlierDetectorTest, AClusterWithoutItHasNone) {
  config_.clear_outlier_detection();
  Start(2);
  EXPECT_EQ(cluster_->outliers(), nullptr);
  EXPECT_EQ(Gauge(), -1) << "nor its series";
}

TEST_F(OutlierDetectorTest, FailuresInARowEjectAtOnce) {
  Start(4);
  Fail(1, 4);
  Look();
  EXPECT_THAT(Ejected(), IsEmpty());
  EXPECT_EQ(published_, 0);
  Fail(1, 1);
  Look();
  EXPECT_THAT(Ejected(), ElementsAre(1));
  EXPECT_EQ(published_, 1);
  EXPECT_EQ(Ejections("consecutive_5xx"), 1u);
  EXPECT_EQ(Gauge(), 1);
  Look();
  EXPECT_EQ(published_, 1) << "once";
}

TEST_F(OutlierDetectorTest, EachTriggerHasItsCause) {
  detection().set_consecutive_gateway_failure(5);
  detection().set_consecutive_local_origin_failure(5);
  detection().set_max_ejection_percent(100);
  Start(4);
  Try(0, 5, TryOutcome::kNotConnected, 0);
  Try(1, 5, TryOutcome::kServerError, 503);
  Fail(2);
  Look();
  EXPECT_THAT(Ejected(), ElementsAre(0, 1, 2));
  EXPECT_EQ(Ejections("consecutive_local_origin_failure"), 1u);
  EXPECT_EQ(Ejections("consecutive_gateway_failure"), 1u);
  EXPECT_EQ(Ejections("consecutive_5xx"), 1u);
}

TEST_F(OutlierDetectorTest, ItReturnsWhenItsTimeIsOver) {
  Start(4);
  Fail(1);
  Look();
  const Nanos until = CountsOf(*cluster_, 1).ejected_until();
  EXPECT_EQ(until, loop_->now() + 30 * kSecond);
  Fail(1, 4);  // of requests that were under way
  Advance(30 * kSecond - 2 * OutlierDetector::kLookEvery);
  EXPECT_THAT(Ejected(), ElementsAre(1));
  Advance(3 * OutlierDetector::kLookEvery);
  EXPECT_THAT(Ejected(), IsEmpty());
  EXPECT_EQ(cluster_->endpoints()->endpoints[1].since, loop_->now()) << "for a slow start";
  EXPECT_EQ(Gauge(), 0);
  Fail(1, 4);
  Look();
  EXPECT_THAT(Ejected(), IsEmpty()) << "from zero";
  Fail(1, 1);
  Look();
  EXPECT_THAT(Ejected(), ElementsAre(1));
}

TEST_F(OutlierDetectorTest, TheNextEjectionIsLongerAndIntervalsMakeUpForIt) {
  Start(4);
  const auto eject = [this] {
    Fail(1);
    Look();
    EXPECT_THAT(Ejected(), ElementsAre(1));
    return CountsOf(*cluster_, 1).ejected_until() - loop_->now();
  };
  EXPECT_EQ(eject(), 30 * kSecond);
  Wait(31 * kSecond);
  EXPECT_EQ(eject(), 60 * kSecond);
  Wait(61 * kSecond);
  EXPECT_EQ(CountsOf(*cluster_, 1).ejections(), 2u) << "no interval is over since";
  Wait(21 * kSecond);  // one whole interval, and at most two
  EXPECT_LT(CountsOf(*cluster_, 1).ejections(), 2u);
  Wait(30 * kSecond);
  EXPECT_EQ(CountsOf(*cluster_, 1).ejections(), 0u);
  EXPECT_EQ(eject(), 30 * kSecond);
}

TEST_F(OutlierDetectorTest, AnEjectionWithinAnIntervalIsNotMadeUpForByIt) {
  detection().set_ejection_time(kSecond);
  Start(4);
  Look();
  Fail(1);
  Wait(9 * kSecond);
  EXPECT_THAT(Ejected(), IsEmpty());
  Wait(2 * kSecond);
  EXPECT_EQ(CountsOf(*cluster_, 1).ejections(), 1u);
  Wait(10 * kSecond);
  EXPECT_EQ(CountsOf(*cluster_, 1).ejections(), 0u);
}

TEST_F(OutlierDetectorTest, TheOnlyOneIsNeverEjected) {
  detection().set_max_ejection_percent(100);
  Start(1);
  Fail(0, 100);
  Look();
  EXPECT_THAT(Ejected(), IsEmpty());
  EXPECT_EQ(Refused(), 1u);
}

TEST_F(OutlierDetectorTest, TheLastThatIsUsableStays) {
  detection().set_max_ejection_percent(100);
  Start(3);
  cluster_->SetFault(TextOf(0), EndpointFault::kDrained, true);
  Fail(1);
  Fail(2);
  Look();
  EXPECT_THAT(Ejected(), ElementsAre(1));
  EXPECT_EQ(Refused(), 1u);
}

TEST_F(OutlierDetectorTest, AtMostAShare) {
  Start(4);  // 50%
  for (size_t i = 0; i < 3; ++i) Fail(i);
  Look();
  EXPECT_THAT(Ejected(), ElementsAre(0, 1));
  EXPECT_EQ(Refused(), 1u);
  Fail(2, 4);
  Look();
  EXPECT_EQ(Refused(), 1u);
  Fail(2, 1);
  Look();
  EXPECT_EQ(Refused(), 2u) << "it goes on, and is asked for again";
  Advance(30 * kSecond);
  EXPECT_THAT(Ejected(), IsEmpty());
  Fail(2, 5);
  Look();
  EXPECT_THAT(Ejected(), ElementsAre(2));
}

TEST_F(OutlierDetectorTest, ASuccessRateIsComparedOnceAnInterval) {
  detection().set_success_rate_deviations(1.9);
  detection().set_consecutive_5xx(0);
  Start(6);
  Look();
  for (size_t i = 0; i < 6; ++i) Succeed(i, i == 4 ? 60 : 100);
  Fail(4, 40);
  Look();
  EXPECT_THAT(Ejected(), IsEmpty()) << "the interval goes on";
  NextSweep();
  EXPECT_THAT(Ejected(), ElementsAre(4));
  EXPECT_EQ(Ejections("success_rate"), 1u);
}

TEST_F(OutlierDetectorTest, AnIntervalsRequestsAreForgottenWithIt) {
  detection().set_failure_percentage(50);
  detection().set_consecutive_5xx(0);
  Start(4);
  Look();
  for (size_t i = 0; i < 4; ++i) Succeed(i, 99);
  Fail(2, 99);
  Succeed(0, 1);
  NextSweep();
  EXPECT_THAT(Ejected(), ElementsAre(2));
  EXPECT_EQ(Ejections("failure_percentage"), 1u);
  Advance(31 * kSecond);
  EXPECT_THAT(Ejected(), IsEmpty());
  Fail(2, 99);  // those before do not make it a hundred
  Succeed(0, 100);
  NextSweep();
  EXPECT_THAT(Ejected(), IsEmpty());
}

TEST_F(OutlierDetectorTest, ALatencyBeyondThoseOfTheOthers) {
  detection().set_latency_factor(3);
  Start(4);
  Look();
  for (size_t i = 0; i < 4; ++i) Succeed(i, 100, (i == 3 ? 30 : 10) * kMillisecond);
  NextSweep();
  EXPECT_THAT(Ejected(), IsEmpty()) << "three times, not more";
  // (30 + 31) / 2 > 3 * 10.
  for (size_t i = 0; i < 4; ++i) Succeed(i, 100, (i == 3 ? 31 : 10) * kMillisecond);
  NextSweep();
  EXPECT_THAT(Ejected(), ElementsAre(3));
  EXPECT_EQ(Ejections("latency"), 1u);
}

TEST_F(OutlierDetectorTest, APassedCheckTakesItBack) {
  Start(4);
  Fail(1);
  Look();
  const int published = published_;
  cluster_->outliers()->OnCheckPassed(TextOf(2));
  cluster_->outliers()->OnCheckPassed("10.9.9.9:80");
  EXPECT_THAT(Ejected(), ElementsAre(1));
  EXPECT_EQ(published_, published);
  cluster_->outliers()->OnCheckPassed(TextOf(1));
  EXPECT_THAT(Ejected(), IsEmpty());
  EXPECT_EQ(published_, published + 1);
}

// The next process, or the cluster after a reload that changed something else.
TEST_F(OutlierDetectorTest, AnEjectionOutlivesTheCluster) {
  Start(4);
  Fail(1);
  Look();
  const Nanos until = CountsOf(*cluster_, 1).ejected_until();
  cluster_.reset();
  EXPECT_EQ(Gauge(), 0);
  Start(5);
  EXPECT_THAT(Ejected(), ElementsAre(1)) << "before it has looked once";
  EXPECT_EQ(CountsOf(*cluster_, 1).ejected_until(), until);
  Look();
  EXPECT_EQ(Gauge(), 1);
  EXPECT_EQ(Ejections("consecutive_5xx"), 1u) << "it is the same one";
  Advance(30 * kSecond);
  EXPECT_THAT(Ejected(), IsEmpty());
}

TEST_F(OutlierDetectorTest, WithoutTheBlockNobodyIsEjected) {
  Start(4);
  Fail(1);
  Look();
  const std::unique_ptr<Cluster> before = std::move(cluster_);  // serves its last requests
  const config::OutlierDetection block = detection();
  config_.clear_outlier_detection();
  Start(4);
  EXPECT_THAT(Ejected(), IsEmpty());
  // It ejects another meanwhile: that is nothing to the new one, whatever makes it publish.
  EndpointHealth shared = cluster_->endpoints()->endpoints[2].health;
  shared.Set(EndpointFault::kEjected, true);
  cluster_->SetFault(TextOf(0), EndpointFault::kDrained, true);
  EXPECT_THAT(Ejected(), IsEmpty());
  shared.Set(EndpointFault::kEjected, false);

  detection() = block;
  const std::unique_ptr<Cluster> without = std::move(cluster_);
  Start(4);
  EXPECT_THAT(Ejected(), IsEmpty()) << "what is over does not come back with the block";
}

// While a restart or a reload is under way, both see the same.
TEST_F(OutlierDetectorTest, TwoClustersOfTheNameAgree) {
  Start(4);
  const std::unique_ptr<Cluster> before = std::move(cluster_);
  Start(5);
  Fail(1);
  Look();
  EXPECT_THAT(Ejected(), ElementsAre(1));
  Look();
  EXPECT_THAT(EjectedOf(*before), ElementsAre(1));
  EXPECT_EQ(Ejections("consecutive_5xx"), 1u);
  const int published = published_;
  for (int i = 0; i < 20; ++i) Look();
  EXPECT_EQ(published_, published) << "they come to rest";
  Advance(30 * kSecond);
  Look();
  EXPECT_THAT(Ejected(), IsEmpty());
  EXPECT_THAT(EjectedOf(*before), IsEmpty());
  EXPECT_EQ(CountsOf(*cluster_, 1).ejections(), 1u);
}

TEST_F(OutlierDetectorTest, OneOfTwoClustersSweeps) {
  detection().set_failure_percentage(50);
  detection().set_consecutive_5xx(0);
  Start(4);
  const std::unique_ptr<Cluster> before = std::move(cluster_);
  Start(4);
  Look();
  for (size_t i = 0; i < 4; ++i) Succeed(i, 100);
  Fail(2, 100);
  NextSweep();
  Look();
  EXPECT_THAT(Ejected(), ElementsAre(2));
  EXPECT_THAT(EjectedOf(*before), ElementsAre(2));
  EXPECT_EQ(Ejections("failure_percentage"), 1u);
}

// A longer interval that was configured before does not hold up the new one.
TEST_F(OutlierDetectorTest, AShorterIntervalHoldsAtOnce) {
  detection().set_interval(3600 * kSecond);
  detection().set_failure_percentage(50);
  detection().set_consecutive_5xx(0);
  Start(4);
  Look();
  cluster_.reset();
  detection().set_interval(10 * kSecond);
  Start(4);
  Look();
  for (size_t i = 0; i < 4; ++i) Succeed(i, 100);
  Fail(2, 100);
  NextSweep();
  EXPECT_THAT(Ejected(), ElementsAre(2));
}

}  // namespace
}  // namespace sluice
