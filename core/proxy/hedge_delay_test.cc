#include "core/proxy/hedge_delay.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr Nanos kStart = 1000 * kSecond;

TEST(HedgeDelay, IsFixedIfItIsWritten) {
  HedgeDelay delay(50 * kMillisecond, 95);
  EXPECT_EQ(delay.Get(kStart), 50 * kMillisecond);
  for (int i = 0; i < 100; ++i) delay.Add(kSecond, kStart);
  EXPECT_EQ(delay.Get(kStart + kSecond), 50 * kMillisecond);
}

TEST(HedgeDelay, IsNotKnownFromAFew) {
  HedgeDelay delay(0, 95);
  for (uint64_t i = 1; i < HedgeDelay::kFewest; ++i) delay.Add(kMillisecond, kStart);
  EXPECT_EQ(delay.Get(kStart), 0);
  delay.Add(kMillisecond, kStart);
  EXPECT_EQ(delay.Get(kStart + kMillisecond), 0) << "it is not computed for each request";
  EXPECT_GT(delay.Get(kStart + kSecond), 0);
}

// Of latencies evenly between 0 and 100 ms, at any scale.
TEST(HedgeDelay, IsAtTheShareOfResponsesAndALittleAbove) {
  for (const double percentile : {50.0, 90.0, 95.0, 99.0}) {
    for (const Nanos unit : {10 * kMicrosecond, kMillisecond, 100 * kMillisecond}) {
      HedgeDelay delay(0, percentile);
      for (int i = 1; i <= 1000; ++i) delay.Add(unit * i / 10, kStart);
      const auto exact = static_cast<double>(unit) * percentile;
      const auto got = static_cast<double>(delay.Get(kStart));
      EXPECT_GE(got, exact * 0.999) << percentile << " " << unit;
      EXPECT_LE(got, exact * 1.13 + 66e3) << percentile << " " << unit;
    }
  }
}

TEST(HedgeDelay, WhatIsOldIsForgotten) {
  HedgeDelay delay(0, 95);
  for (int i = 0; i < 100; ++i) delay.Add(kSecond, kStart);
  for (int i = 0; i < 100; ++i) delay.Add(kMillisecond, kStart + 11 * kSecond);
  EXPECT_GE(delay.Get(kStart + 12 * kSecond), kSecond) << "both windows count";
  for (int i = 0; i < 100; ++i) delay.Add(kMillisecond, kStart + 22 * kSecond);
  EXPECT_LE(delay.Get(kStart + 23 * kSecond), 2 * kMillisecond);
  EXPECT_EQ(delay.Get(kStart + 60 * kSecond), 0) << "nothing came for a while";
}

TEST(HedgeDelay, TakesTheLongestOnes) {
  HedgeDelay delay(0, 50);
  for (int i = 0; i < 100; ++i) delay.Add(3600 * kSecond, kStart);
  EXPECT_GE(delay.Get(kStart), 60 * kSecond);
  for (int i = 0; i < 1000; ++i) delay.Add(-kSecond, kStart);
  EXPECT_LE(delay.Get(kStart + kSecond), kMillisecond);
}

}  // namespace
}  // namespace sluice
