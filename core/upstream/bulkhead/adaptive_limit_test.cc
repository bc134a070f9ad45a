#include "core/upstream/bulkhead/adaptive_limit.h"

#include <gtest/gtest.h>

#include <array>

namespace sluice {
namespace {

class AdaptiveLimitTest : public ::testing::Test {
 protected:
  AdaptiveLimit Make(uint32_t begin = 100, uint32_t at_least = 20, uint32_t at_most = 200) {
    return AdaptiveLimit({begin, at_least, at_most, 1.5}, SharedWords(cells_.data()));
  }
  // So many measurements.
  static void Feed(AdaptiveLimit& limit, int count, Nanos latency, uint64_t in_flight) {
    for (uint32_t i = 0; i < static_cast<uint32_t>(count) * AdaptiveLimit::kSamples; ++i) {
      limit.OnSample(latency, in_flight);
    }
  }

  std::array<StatsCell, SharedWords::kCount> cells_{};
};

TEST_F(AdaptiveLimitTest, BeginsWhereItIsToldWithinItsRange) {
  EXPECT_EQ(Make(100).limit(), 100U);
  EXPECT_EQ(Make(5).limit(), 20U);
  EXPECT_EQ(Make(500).limit(), 200U);
}

TEST_F(AdaptiveLimitTest, AMeasurementIsTheMeanOfItsSamples) {
  AdaptiveLimit limit = Make();
  for (uint32_t i = 1; i < AdaptiveLimit::kSamples; ++i) {
    EXPECT_FALSE(limit.OnSample(10 * kMillisecond, 100));
  }
  EXPECT_TRUE(limit.OnSample(10 * kMillisecond, 100));
  EXPECT_EQ(limit.limit(), 100U) << "0.8 more: 100.8";
  Feed(limit, 1, 10 * kMillisecond, 100);
  EXPECT_EQ(limit.limit(), 101U);
}

TEST_F(AdaptiveLimitTest, GrowsToItsMostWhileResponsesTakeAsLongAsEver) {
  AdaptiveLimit limit = Make();
  Feed(limit, 60, 10 * kMillisecond, 200);
  EXPECT_EQ(limit.limit(), 148U) << "100 + 60 * 0.2 * 4";
  Feed(limit, 200, 10 * kMillisecond, 200);
  EXPECT_EQ(limit.limit(), 200U);
}

TEST_F(AdaptiveLimitTest, LatencyWithinToleranceIsNoReasonToShrink) {
  AdaptiveLimit limit = Make();
  Feed(limit, 100, 10 * kMillisecond, 10);
  Feed(limit, 20, 14 * kMillisecond, 200);
  EXPECT_GT(limit.limit(), 100U);
}

TEST_F(AdaptiveLimitTest, DoesNotGrowWhileItIsNotUsed) {
  AdaptiveLimit limit = Make();
  Feed(limit, 100, 10 * kMillisecond, 49);
  EXPECT_EQ(limit.limit(), 100U);
  Feed(limit, 10, 10 * kMillisecond, 60);
  EXPECT_EQ(limit.limit(), 108U);
}

TEST_F(AdaptiveLimitTest, ShrinksAsLatencyDoublesAndRecovers) {
  AdaptiveLimit limit = Make();
  Feed(limit, 100, 10 * kMillisecond, 200);
  const uint32_t before = limit.limit();
  EXPECT_EQ(before, 180U);
  Feed(limit, 10, 25 * kMillisecond, 200);
  const uint32_t slow = limit.limit();
  EXPECT_LT(slow, 120U);
  Feed(limit, 300, 10 * kMillisecond, 200);
  EXPECT_EQ(limit.limit(), 200U);
}

TEST_F(AdaptiveLimitTest, NeverHalvesAtOnceNorFallsBelowItsLeast) {
  AdaptiveLimit limit = Make();
  Feed(limit, 100, kMillisecond, 10);
  Feed(limit, 1, kSecond, 100);
  EXPECT_EQ(limit.limit(), 90U) << "0.8 * 100 + 0.2 * (0.5 * 100 + 4), and no less: 90.8";
  Feed(limit, 20, 100 * kSecond, 100);
  EXPECT_GE(limit.limit(), 20U);
}

TEST_F(AdaptiveLimitTest, WhatWasUsualIsForgottenSoonerWhereTheServiceBecameMuchFaster) {
  AdaptiveLimit limit = Make();
  Feed(limit, 100, 100 * kMillisecond, 200);
  Feed(limit, 60, 10 * kMillisecond, 200);
  const uint32_t before = limit.limit();
  // After the plain average alone 22 ms would still be less than usual.
  Feed(limit, 10, 40 * kMillisecond, 200);
  EXPECT_LT(limit.limit(), before);
}

TEST_F(AdaptiveLimitTest, WorkersAndTheNextProcessShareIt) {
  AdaptiveLimit one = Make();
  AdaptiveLimit other = Make();
  Feed(one, 50, 10 * kMillisecond, 200);
  EXPECT_EQ(other.limit(), 140U);
  Feed(other, 50, 30 * kMillisecond, 200);
  EXPECT_LT(one.limit(), 140U) << "what is usual is known to the other, too";
  EXPECT_EQ(Make(30).limit(), one.limit());
}

TEST_F(AdaptiveLimitTest, ARangeThatChangesHoldsAtOnce) {
  AdaptiveLimit limit = Make();
  Feed(limit, 200, 10 * kMillisecond, 200);
  EXPECT_EQ(Make(100, 20, 50).limit(), 50U);
}

}  // namespace
}  // namespace sluice
