#include "core/upstream/outlier/outlier_meter.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

class OutlierMeterTest : public testing::Test {
 protected:
  // All triggers at 3, unless a test says otherwise.
  OutlierMeterTest() {
    settings_.consecutive_5xx = 3;
    settings_.consecutive_gateway_failure = 3;
    settings_.consecutive_local_origin_failure = 3;
  }
  OutlierMeter Make() {
    OutlierMeter meter(settings_, SharedWord(&changes_));
    meter.SetCounts(counts_);
    return meter;
  }
  // '2': 200, '5': 500, 'g': 503, 'c': not connected, 'r': reset, 't': timed out, '-': cancelled.
  void Play(OutlierMeter& meter, const std::string& tries) {
    for (const char each : tries) {
      switch (each) {
        case '2':
          meter.OnEnd(TryOutcome::kAnswered, 200, now_);
          break;
        case '5':
          meter.OnEnd(TryOutcome::kServerError, 500, now_);
          break;
        case 'g':
          meter.OnEnd(TryOutcome::kServerError, 503, now_);
          break;
        case 'c':
          meter.OnEnd(TryOutcome::kNotConnected, 0, now_);
          break;
        case 'r':
          meter.OnEnd(TryOutcome::kReset, 200, now_);
          break;
        case 't':
          meter.OnEnd(TryOutcome::kTimedOut, 0, now_);
          break;
        default:
          meter.OnEnd(TryOutcome::kCancelled, 0, now_);
      }
    }
  }
  // What these tries of a worker trigger.
  EjectionCauses Triggered(const std::string& tries) {
    for (StatsCell& cell : cells_) cell = 0;
    OutlierMeter meter = Make();
    Play(meter, tries);
    return counts_.TakeTriggered();
  }

  OutlierSettings settings_;
  StatsCell cells_[SharedWords::kCount] = {};
  StatsCell changes_{0};
  OutlierCounts counts_{SharedWords(cells_)};
  Nanos now_ = 1000 * kSecond;
};

constexpr EjectionCauses k5xx = CausesOf(EjectionCause::kConsecutive5xx);
constexpr EjectionCauses kGateway = CausesOf(EjectionCause::kConsecutiveGatewayFailure);
constexpr EjectionCauses kLocal = CausesOf(EjectionCause::kConsecutiveLocalOriginFailure);

TEST_F(OutlierMeterTest, SoManyInARow) {
  EXPECT_EQ(Triggered("55"), 0u);
  EXPECT_EQ(changes_, 0u);
  EXPECT_EQ(Triggered("555"), k5xx);
  EXPECT_EQ(changes_, 1u);
  EXPECT_EQ(Triggered("55255"), 0u) << "a success begins anew";
  EXPECT_EQ(Triggered("552555"), k5xx);
  EXPECT_EQ(Triggered("55-5"), k5xx) << "what was cancelled says nothing";
}

TEST_F(OutlierMeterTest, WhatCountsAsWhat) {
  EXPECT_EQ(Triggered("ggg"), k5xx | kGateway);
  EXPECT_EQ(Triggered("gg5"), k5xx);
  EXPECT_EQ(Triggered("gg5gg"), k5xx) << "a 500 is no failure of a gateway";
  for (const char* local : {"ccc", "rrr", "ttt", "crt"}) {
    EXPECT_EQ(Triggered(local), k5xx | kGateway | kLocal) << local;
  }
  EXPECT_EQ(Triggered("ccg"), k5xx | kGateway) << "an answer came";
  EXPECT_EQ(Triggered("ccgcc"), k5xx | kGateway);
  EXPECT_EQ(Triggered("cc2cc"), 0u);
}

TEST_F(OutlierMeterTest, GatewayFailuresAreThreeStatuses) {
  for (const uint16_t status : std::vector<uint16_t>{500, 501, 505, 599}) {
    OutlierMeter meter = Make();
    for (int i = 0; i < 3; ++i) meter.OnEnd(TryOutcome::kServerError, status, now_);
    EXPECT_EQ(counts_.TakeTriggered() & kGateway, 0u) << status;
  }
  for (const uint16_t status : std::vector<uint16_t>{502, 503, 504}) {
    OutlierMeter meter = Make();
    for (int i = 0; i < 3; ++i) meter.OnEnd(TryOutcome::kServerError, status, now_);
    EXPECT_EQ(counts_.TakeTriggered() & kGateway, kGateway) << status;
  }
}

TEST_F(OutlierMeterTest, ZeroIsOff) {
  settings_.consecutive_5xx = 0;
  EXPECT_EQ(Triggered("cccccc"), kGateway | kLocal);
  settings_.consecutive_gateway_failure = 0;
  EXPECT_EQ(Triggered("cccccc"), kLocal);
  settings_.consecutive_local_origin_failure = 0;
  EXPECT_EQ(Triggered("cccccc"), 0u);
}

TEST_F(OutlierMeterTest, EachMultipleAsksAgain) {
  OutlierMeter meter = Make();
  Play(meter, "555");
  EXPECT_EQ(counts_.TakeTriggered(), k5xx);
  Play(meter, "55");
  EXPECT_EQ(counts_.TakeTriggered(), 0u);
  Play(meter, "5");
  EXPECT_EQ(counts_.TakeTriggered(), k5xx);
  EXPECT_EQ(changes_, 2u);
}

TEST_F(OutlierMeterTest, WorkersCountTogether) {
  OutlierMeter a = Make();
  OutlierMeter b = Make();
  Play(a, "5");
  Play(b, "5");
  Play(a, "5");
  EXPECT_EQ(counts_.TakeTriggered(), k5xx);
}

TEST_F(OutlierMeterTest, SuccessesLeaveTheWordsAlone) {
  settings_.success_rate_deviations = 0;  // nothing else is counted either
  OutlierMeter meter = Make();
  for (StatsCell& cell : cells_) cell = 0;
  for (int i = 0; i < 200; ++i) Play(meter, "2");
  for (StatsCell& cell : cells_) EXPECT_EQ(cell, 0u);
}

TEST_F(OutlierMeterTest, RequestsAreAddedInLots) {
  OutlierMeter meter = Make();
  Play(meter, "2");  // the first one: nothing was added for long
  EXPECT_EQ(counts_.TakeInterval().requests, 1u);
  for (int i = 0; i < 63; ++i) Play(meter, i % 3 == 0 ? "5" : "2");
  EXPECT_EQ(counts_.TakeInterval().requests, 0u);
  Play(meter, "2-");
  const OutlierInterval lot = counts_.TakeInterval();
  EXPECT_EQ(lot.requests, 64u);
  EXPECT_EQ(lot.successes, 43u);
  EXPECT_EQ(counts_.TakeInterval().requests, 0u) << "taken is taken";

  Play(meter, "22");
  now_ += OutlierMeter::kKeptFor - 1;
  Play(meter, "2");
  EXPECT_EQ(counts_.TakeInterval().requests, 0u);
  now_ += 1;
  Play(meter, "2");
  EXPECT_EQ(counts_.TakeInterval().requests, 4u);
}

TEST_F(OutlierMeterTest, ShortIntervalsAreToldSooner) {
  settings_.interval = 40 * kMillisecond;
  OutlierMeter meter = Make();
  Play(meter, "2");
  counts_.TakeInterval();
  now_ += 10 * kMillisecond;
  Play(meter, "2");
  EXPECT_EQ(counts_.TakeInterval().requests, 1u);
}

TEST_F(OutlierMeterTest, LatenciesAreSummed) {
  OutlierMeter meter = Make();
  meter.OnLatency(30 * kMillisecond);
  Play(meter, "2");
  now_ += kSecond;
  meter.OnLatency(10 * kMillisecond);
  meter.OnLatency(20 * kMillisecond);
  Play(meter, "2");
  const OutlierInterval interval = counts_.TakeInterval();
  EXPECT_EQ(interval.latencies, 3u);
  EXPECT_EQ(interval.latency, 60u * kMillisecond);
}

// What does not fit is left out, whole: a number that ran over would look like an outlier.
TEST_F(OutlierMeterTest, LatenciesBeyondAWordAreNotCounted) {
  constexpr uint64_t kMost = (1 << 24) - 1;
  counts_.AddInterval({kMost, kMost, kMost, kMost * kMillisecond});
  counts_.AddInterval({1, 1, 1, 3600 * kSecond});
  OutlierInterval interval = counts_.TakeInterval();
  EXPECT_EQ(interval.requests, kMost + 1);
  EXPECT_EQ(interval.latencies, kMost);
  EXPECT_EQ(interval.latency, kMost * kMillisecond);
  counts_.AddInterval({1, 1, 1, 12 * 24 * 3600 * kSecond});
  counts_.AddInterval({1, 1, 1, 24 * 3600 * kSecond});
  interval = counts_.TakeInterval();
  EXPECT_EQ(interval.latencies, 1u);
  EXPECT_EQ(interval.latency, uint64_t{12 * 24 * 3600} * kSecond);
}

TEST_F(OutlierMeterTest, NothingIsLostOrTornBetweenThreads) {
  settings_.consecutive_5xx = 0;
  constexpr uint64_t kEach = 64 * 2000;
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([this] {
      OutlierMeter meter = Make();
      for (uint64_t n = 0; n < kEach; ++n) {
        meter.OnLatency(kMicrosecond);
        meter.OnEnd(TryOutcome::kAnswered, 200, 0);
      }
    });
  }
  uint64_t requests = 0;
  uint64_t latencies = 0;
  while (requests < 3 * kEach) {
    const OutlierInterval interval = counts_.TakeInterval();
    ASSERT_EQ(interval.requests, interval.successes);
    ASSERT_EQ(interval.latency, interval.latencies * kMicrosecond);
    requests += interval.requests;
    latencies += interval.latencies;
  }
  for (std::thread& worker : workers) worker.join();
  latencies += counts_.TakeInterval().latencies;
  EXPECT_EQ(requests, 3 * kEach);
  EXPECT_EQ(latencies, 3 * kEach);
}

TEST_F(OutlierMeterTest, AnEjectionIsMadeOnceAndBeginsAnew) {
  OutlierMeter meter = Make();
  Play(meter, "52555");
  counts_.set_average_latency(5);
  EXPECT_TRUE(counts_.Eject(77, 2));
  EXPECT_FALSE(counts_.Eject(78, 3)) << "another process was first";
  EXPECT_EQ(counts_.ejected_until(), 77);
  EXPECT_EQ(counts_.ejections(), 2u);

  EXPECT_TRUE(counts_.Return(100));
  EXPECT_FALSE(counts_.Return(101));
  EXPECT_FALSE(counts_.ejected());
  EXPECT_EQ(counts_.returned_at(), 100);
  EXPECT_EQ(counts_.ejections(), 2u);
  EXPECT_EQ(counts_.average_latency(), 0);
  EXPECT_EQ(counts_.TakeTriggered(), 0u);
  EXPECT_EQ(counts_.TakeInterval().requests, 0u);
  Play(meter, "55");
  EXPECT_EQ(counts_.TakeTriggered(), 0u) << "from zero";
}

}  // namespace
}  // namespace sluice
