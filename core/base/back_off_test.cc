#include "core/base/back_off.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/base/random.h"

namespace sluice {
namespace {

using Growth = BackOffSettings::Growth;
using Jitter = BackOffSettings::Jitter;

std::vector<Nanos> Waits(const BackOffSettings& settings, size_t count, uint64_t seed = 1) {
  Random random(seed);
  BackOff back_off;
  std::vector<Nanos> waits;
  for (size_t i = 0; i < count; ++i) waits.push_back(back_off.Next(settings, random));
  return waits;
}

TEST(BackOffTest, GrowsAsSaid) {
  EXPECT_EQ(Waits({Growth::kFixed, Jitter::kNone, 10, 1000}, 4),
            (std::vector<Nanos>{10, 10, 10, 10}));
  EXPECT_EQ(Waits({Growth::kLinear, Jitter::kNone, 10, 35}, 5),
            (std::vector<Nanos>{10, 20, 30, 35, 35}));
  EXPECT_EQ(Waits({Growth::kExponential, Jitter::kNone, 10, 70}, 5),
            (std::vector<Nanos>{10, 20, 40, 70, 70}));
}

TEST(BackOffTest, NeverOverflows) {
  for (const Growth growth : {Growth::kFixed, Growth::kLinear, Growth::kExponential}) {
    for (const Jitter jitter : {Jitter::kNone, Jitter::kDecorrelated}) {
      const BackOffSettings settings{growth, jitter, kSecond, INT64_MAX};
      for (const Nanos wait : Waits(settings, 200)) EXPECT_GE(wait, kSecond);
    }
  }
}

TEST(BackOffTest, ABaseBeyondTheLimitIsTheLimit) {
  for (const Growth growth : {Growth::kFixed, Growth::kLinear, Growth::kExponential}) {
    EXPECT_EQ(Waits({growth, Jitter::kNone, 100, 70}, 2), (std::vector<Nanos>{70, 70}));
  }
  EXPECT_EQ(Waits({Growth::kFixed, Jitter::kDecorrelated, 100, 70}, 1), std::vector<Nanos>{70});
}

// The mean and the ends of many first and third waits.
struct Spread {
  Nanos least = INT64_MAX;
  Nanos most = 0;
  double mean = 0;
};

Spread SpreadOf(Jitter jitter, size_t wait) {
  constexpr int kRounds = 20000;
  Spread spread;
  for (int i = 0; i < kRounds; ++i) {
    const Nanos drawn =
        Waits({Growth::kExponential, jitter, 1000, 100000}, wait, static_cast<uint64_t>(i)).back();
    spread.least = std::min(spread.least, drawn);
    spread.most = std::max(spread.most, drawn);
    spread.mean += static_cast<double>(drawn) / kRounds;
  }
  return spread;
}

TEST(BackOffTest, FullJitterIsBetweenNothingAndIt) {
  const Spread third = SpreadOf(Jitter::kFull, 3);
  EXPECT_LT(third.least, 40);
  EXPECT_GT(third.most, 3960);
  EXPECT_LE(third.most, 4000);
  EXPECT_NEAR(third.mean, 2000, 40);
}

TEST(BackOffTest, EqualJitterIsBetweenHalfOfItAndIt) {
  const Spread third = SpreadOf(Jitter::kEqual, 3);
  EXPECT_GE(third.least, 2000);
  EXPECT_LT(third.least, 2040);
  EXPECT_LE(third.most, 4000);
  EXPECT_NEAR(third.mean, 3000, 40);
}

TEST(BackOffTest, DecorrelatedJitterIsBetweenTheBaseAndThreeTimesTheLast) {
  const Spread first = SpreadOf(Jitter::kDecorrelated, 1);
  EXPECT_GE(first.least, 1000);
  EXPECT_LE(first.most, 3000);
  EXPECT_NEAR(first.mean, 2000, 40);
  const Spread third = SpreadOf(Jitter::kDecorrelated, 3);
  EXPECT_GE(third.least, 1000);
  EXPECT_GT(third.most, 9000);
  EXPECT_LE(third.most, 27000);
}

}  // namespace
}  // namespace sluice
