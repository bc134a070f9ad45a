#include "core/upstream/health/health_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace sluice {
namespace {

class HealthStateTest : public testing::Test {
 protected:
  // Of each result, "+" or "-", what the endpoint is taken for after it: "h", "u"; upper case where
  // that changed.
  static std::string Verdicts(HealthState& state, std::string_view results) {
    std::string verdicts;
    for (const char result : results) {
      const bool changed = state.Take(result == '+');
      const bool healthy = state.verdict() == HealthVerdict::kHealthy;
      verdicts += changed ? (healthy ? 'H' : 'U') : (healthy ? 'h' : 'u');
    }
    return verdicts;
  }
  std::string Verdicts(std::string_view results, HealthVerdict before = HealthVerdict::kUnknown) {
    HealthState state(settings_, before);
    return Verdicts(state, results);
  }
  Nanos WaitAfter(std::string_view results) {
    HealthState state(settings_, HealthVerdict::kUnknown);
    Verdicts(state, results);
    return state.NextWait(random_);
  }

  HealthSettings settings_;
  Random random_{1};
};

TEST_F(HealthStateTest, TheFirstResultDecides) {
  EXPECT_EQ(Verdicts("+"), "H");
  EXPECT_EQ(Verdicts("-"), "U");
  const HealthState state(settings_, HealthVerdict::kUnknown);
  EXPECT_EQ(state.verdict(), HealthVerdict::kUnknown);
}

TEST_F(HealthStateTest, AfterItSoManyInARowDo) {
  EXPECT_EQ(Verdicts("+--+--+---"), "HhhhhhhhhU");
  EXPECT_EQ(Verdicts("-+-+-++"), "UuuuuuH");
  EXPECT_EQ(Verdicts("+---++"), "HhhUuH");
  settings_.healthy_threshold = 1;
  settings_.unhealthy_threshold = 1;
  EXPECT_EQ(Verdicts("+-+-"), "HUHU");
  settings_.healthy_threshold = 4;
  settings_.unhealthy_threshold = 2;
  EXPECT_EQ(Verdicts("+--++++"), "HhUuuuH");
}

TEST_F(HealthStateTest, WhatWasKnownBeforeHoldsUntilTheFirstResult) {
  EXPECT_EQ(HealthState(settings_, HealthVerdict::kHealthy).verdict(), HealthVerdict::kHealthy);
  EXPECT_EQ(Verdicts("+--", HealthVerdict::kHealthy), "hhh");
  EXPECT_EQ(Verdicts("-", HealthVerdict::kHealthy), "U");
  EXPECT_EQ(Verdicts("-+", HealthVerdict::kUnhealthy), "uu");
  EXPECT_EQ(Verdicts("+", HealthVerdict::kUnhealthy), "H");
}

TEST_F(HealthStateTest, ABreakMakesTheNextResultDecideAgain) {
  HealthState state(settings_, HealthVerdict::kUnknown);
  EXPECT_EQ(Verdicts(state, "+-"), "Hh");
  state.BeginAgain();
  EXPECT_EQ(state.verdict(), HealthVerdict::kHealthy);
  EXPECT_EQ(Verdicts(state, "-+"), "Uu");
}

TEST_F(HealthStateTest, CountsEqualResults) {
  HealthState state(settings_, HealthVerdict::kUnknown);
  EXPECT_EQ(state.in_a_row(), 0u);
  Verdicts(state, "+++");
  EXPECT_EQ(state.in_a_row(), 3u);
  Verdicts(state, "-");
  EXPECT_EQ(state.in_a_row(), 1u);
}

TEST_F(HealthStateTest, TheNextCheckComesSoonerInDoubtAndLaterWhenDown) {
  settings_.jitter = 0;
  EXPECT_EQ(WaitAfter("+"), kSecond);
  EXPECT_EQ(WaitAfter("+-"), 250 * kMillisecond);
  EXPECT_EQ(WaitAfter("+--"), 250 * kMillisecond);
  EXPECT_EQ(WaitAfter("+--+"), kSecond);
  EXPECT_EQ(WaitAfter("+---"), 3 * kSecond);
  EXPECT_EQ(WaitAfter("-"), 3 * kSecond);
  EXPECT_EQ(WaitAfter("-+"), 250 * kMillisecond);
  EXPECT_EQ(WaitAfter("-++"), kSecond);
  settings_.interval = 7 * kSecond;
  settings_.fast_interval = 2 * kSecond;
  settings_.down_interval = 30 * kSecond;
  EXPECT_EQ(WaitAfter("+"), 7 * kSecond);
  EXPECT_EQ(WaitAfter("+-"), 2 * kSecond);
  EXPECT_EQ(WaitAfter("-"), 30 * kSecond);
}

TEST_F(HealthStateTest, JitterMakesItLongerAndShorter) {
  settings_.interval = 5 * kSecond;
  settings_.jitter = 0.2;
  Nanos least = 100 * kSecond;
  Nanos most = 0;
  Nanos sum = 0;
  for (int i = 0; i < 1000; ++i) {
    const Nanos wait = WaitAfter("+");
    least = std::min(least, wait);
    most = std::max(most, wait);
    sum += wait;
  }
  EXPECT_GE(least, 4 * kSecond);
  EXPECT_LE(most, 6 * kSecond);
  EXPECT_LT(least, 4 * kSecond + 50 * kMillisecond);
  EXPECT_GT(most, 6 * kSecond - 50 * kMillisecond);
  EXPECT_NEAR(static_cast<double>(sum) / 1000 / kSecond, 5, 0.1);
}

}  // namespace
}  // namespace sluice
