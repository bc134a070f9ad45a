#include "core/upstream/balance/latency_average.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sluice {
namespace {

constexpr Nanos kDecay = 10 * kSecond;
constexpr double kMs = kMillisecond;

TEST(LatencyAverage, AWorseOneCountsAtOnce) {
  LatencyAverage average;
  average.AddPeak(5 * kMillisecond, kSecond, kDecay);
  EXPECT_DOUBLE_EQ(average.At(kSecond, kDecay), 5 * kMs);
  average.AddPeak(80 * kMillisecond, 2 * kSecond, kDecay);
  EXPECT_DOUBLE_EQ(average.At(2 * kSecond, kDecay), 80 * kMs);
}

TEST(LatencyAverage, ABetterOneCountsWithTime) {
  LatencyAverage average;
  average.AddPeak(100 * kMillisecond, kSecond, kDecay);
  average.AddPeak(0, kSecond + kDecay, kDecay);
  EXPECT_NEAR(average.At(kSecond + kDecay, kDecay), 100 * kMs / std::exp(1), 0.1 * kMs);
  // Many small steps come to the same.
  LatencyAverage often;
  often.AddPeak(100 * kMillisecond, kSecond, kDecay);
  for (int i = 1; i <= 1000; ++i) often.AddPeak(0, kSecond + i * kDecay / 1000, kDecay);
  EXPECT_NEAR(often.At(kSecond + kDecay, kDecay), 100 * kMs / std::exp(1), 0.1 * kMs);
}

TEST(LatencyAverage, FadesWhileNothingIsMeasured) {
  LatencyAverage average;
  average.AddPeak(1000 * kMillisecond, kSecond, kDecay);
  EXPECT_NEAR(average.At(kSecond + 10 * kSecond, kDecay), 1000 * kMs / std::exp(1), 1 * kMs);
  EXPECT_NEAR(average.At(kSecond + 70 * kSecond, kDecay), 1000 * kMs / std::exp(7), 0.1 * kMs);
  EXPECT_EQ(average.measured_at(), kSecond);
}

TEST(LatencyAverage, AGuessAboutNothingGoesWithTheFirstMeasurement) {
  LatencyAverage average;
  EXPECT_TRUE(average.empty());
  average.Assume(LatencyAverage::kUnknown, kSecond);
  EXPECT_FALSE(average.empty());
  EXPECT_EQ(average.measured_at(), 0);
  average.AddPeak(kMillisecond, kSecond, kDecay);
  EXPECT_DOUBLE_EQ(average.At(kSecond, kDecay), kMs);
}

TEST(LatencyAverage, WhatOthersSuggestStandsUntilTimeProvesItWrong) {
  LatencyAverage average;
  average.Assume(8 * kMs, kSecond);
  average.AddPeak(kMillisecond, kSecond, kDecay);
  EXPECT_NEAR(average.At(kSecond, kDecay), 8 * kMs, 0.01 * kMs);
}

TEST(LatencyAverage, TheMeanGoesUpAsItGoesDown) {
  LatencyAverage average;
  average.AddToMean(10 * kMillisecond, kSecond, kDecay);
  average.AddToMean(26 * kMillisecond, kSecond, kDecay);
  EXPECT_DOUBLE_EQ(average.At(kSecond, kDecay), 11 * kMs);
  for (int i = 0; i < 200; ++i) average.AddToMean(2 * kMillisecond, kSecond, kDecay);
  EXPECT_NEAR(average.At(kSecond, kDecay), 2 * kMs, 0.01 * kMs);
  average.AddToMean(1000 * kMillisecond, kSecond, kDecay);
  average.AddToMean(2 * kMillisecond, kSecond + 20 * kDecay, kDecay);
  EXPECT_LT(average.At(kSecond + 20 * kDecay, kDecay), 2 * kMs) << "long ago";
}

}  // namespace
}  // namespace sluice
