#include "core/upstream/outlier/outlier_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Nothing but what a test switches on.
OutlierSettings Off() {
  OutlierSettings settings;
  settings.success_rate_deviations = 0;
  return settings;
}
OutlierSettings BySuccessRate() { return {}; }
OutlierSettings ByFailures(double percentage) {
  OutlierSettings settings = Off();
  settings.failure_percentage = percentage;
  return settings;
}
OutlierSettings ByLatency(double factor) {
  OutlierSettings settings = Off();
  settings.latency_factor = factor;
  return settings;
}

std::vector<OutlierFigures> Successes(const std::vector<uint64_t>& of_a_hundred) {
  std::vector<OutlierFigures> figures;
  for (const uint64_t successes : of_a_hundred) figures.push_back({100, successes, 0});
  return figures;
}
std::vector<OutlierFigures> Latencies(const std::vector<Nanos>& millis) {
  std::vector<OutlierFigures> figures;
  for (const Nanos each : millis) figures.push_back({100, 100, each * kMillisecond});
  return figures;
}
std::vector<size_t> Found(const OutlierSettings& settings,
                          const std::vector<OutlierFigures>& figures) {
  std::vector<size_t> found;
  for (const Outlier& outlier : FindOutliers(settings, figures)) found.push_back(outlier.index);
  return found;
}

TEST(OutlierRules, ASuccessRateFarBelowTheMean) {
  // Mean 90, deviation 22.4, 1.9 of them: 47.5.
  const auto found = FindOutliers(BySuccessRate(), Successes({100, 100, 40, 100, 100, 100}));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].index, 2u);
  EXPECT_EQ(found[0].cause, EjectionCause::kSuccessRate);
  EXPECT_DOUBLE_EQ(found[0].value, 0.4);
  EXPECT_NEAR(found[0].bound, 0.4751, 0.0001);
}

// Of six endpoints one is at most sqrt(5) = 2.236 deviations away from the mean.
TEST(OutlierRules, AsManyDeviationsAsTheSettingSays) {
  OutlierSettings settings = BySuccessRate();
  const std::vector<OutlierFigures> figures = Successes({100, 100, 40, 100, 100, 100});
  settings.success_rate_deviations = 2.23;
  EXPECT_THAT(Found(settings, figures), ElementsAre(2));
  settings.success_rate_deviations = 2.24;
  EXPECT_THAT(Found(settings, figures), IsEmpty());
}

TEST(OutlierRules, AtTheBoundIsNotBelowIt) {
  OutlierSettings settings = BySuccessRate();
  settings.min_endpoints = 2;
  settings.success_rate_deviations = 1;  // mean 75, deviation 25: the bound is 50
  EXPECT_THAT(Found(settings, Successes({50, 100})), IsEmpty());
  settings.success_rate_deviations = 0.99;
  EXPECT_THAT(Found(settings, Successes({50, 100})), ElementsAre(0));
}

// Sums of thirds and tenths are rounded: the mean of equal rates is not always the rate.
TEST(OutlierRules, EndpointsThatAreAlikeAreNoOutliers) {
  OutlierSettings settings = BySuccessRate();
  settings.success_rate_deviations = 0.001;
  for (uint64_t requests = 100; requests < 130; ++requests) {
    for (uint64_t successes = 0; successes <= requests; ++successes) {
      for (const size_t count : {5, 6, 7, 11}) {
        const std::vector<OutlierFigures> figures(count, OutlierFigures{requests, successes, 0});
        ASSERT_THAT(Found(settings, figures), IsEmpty()) << successes << " of " << requests;
      }
    }
  }
}

TEST(OutlierRules, OnlyEndpointsWithEnoughRequestsAreCompared) {
  std::vector<OutlierFigures> figures = Successes({100, 100, 40, 100, 100, 100});
  figures[2] = {99, 39, 0};
  EXPECT_THAT(Found(BySuccessRate(), figures), IsEmpty());
  figures[2] = {100, 39, 0};
  EXPECT_THAT(Found(BySuccessRate(), figures), ElementsAre(2));
}

TEST(OutlierRules, AndOnlyIfThereAreEnoughEndpoints) {
  OutlierSettings settings = ByFailures(50);
  EXPECT_THAT(Found(settings, Successes({100, 100, 0, 100})), IsEmpty());
  EXPECT_THAT(Found(settings, Successes({100, 100, 0, 100, 100})), ElementsAre(2));
  std::vector<OutlierFigures> figures = Successes({100, 100, 0, 100, 100});
  figures[4].requests = 99;
  figures[4].successes = 99;
  EXPECT_THAT(Found(settings, figures), IsEmpty()) << "one of the five has too few requests";
  EXPECT_THAT(Found(settings, {}), IsEmpty());
}

TEST(OutlierRules, AFailurePercentageIsReachedNotPassed) {
  const std::vector<OutlierFigures> figures = Successes({100, 16, 15, 14, 100});
  EXPECT_THAT(Found(ByFailures(85), figures), ElementsAre(3, 2)) << "the worst first";
  const auto found = FindOutliers(ByFailures(86), figures);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].cause, EjectionCause::kFailurePercentage);
  EXPECT_DOUBLE_EQ(found[0].value, 86);
  EXPECT_THAT(Found(Off(), figures), IsEmpty());
}

TEST(OutlierRules, ALatencyBeyondTheFactorTimesTheOthersMedian) {
  const auto found = FindOutliers(ByLatency(3), Latencies({10, 12, 8, 31, 10}));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].index, 3u);
  EXPECT_EQ(found[0].cause, EjectionCause::kLatency);
  EXPECT_DOUBLE_EQ(found[0].value, 31.0 * kMillisecond);
  EXPECT_DOUBLE_EQ(found[0].bound, 30.0 * kMillisecond);
  EXPECT_THAT(Found(ByLatency(3), Latencies({10, 12, 8, 30, 10})), IsEmpty()) << "at the bound";
  EXPECT_THAT(Found(ByLatency(3.2), Latencies({10, 12, 8, 31, 10})), IsEmpty());
}

// Its own latency does not move what it is compared with; with an even number of others the median
// lies between two.
TEST(OutlierRules, TheMedianIsOfTheOthers) {
  OutlierSettings settings = ByLatency(3);
  settings.min_endpoints = 2;
  EXPECT_THAT(Found(settings, Latencies({10, 31})), ElementsAre(1));
  EXPECT_THAT(Found(settings, Latencies({10, 30})), IsEmpty());
  EXPECT_THAT(Found(settings, Latencies({10, 20, 46})), ElementsAre(2));
  EXPECT_THAT(Found(settings, Latencies({10, 20, 45})), IsEmpty());
  EXPECT_THAT(Found(settings, Latencies({46, 20, 10})), ElementsAre(0));
  EXPECT_THAT(Found(settings, Latencies({100, 100, 100})), IsEmpty());
}

TEST(OutlierRules, AnEndpointWithoutALatencyIsNotComparedByIt) {
  OutlierSettings settings = ByLatency(3);
  settings.min_endpoints = 3;
  EXPECT_THAT(Found(settings, Latencies({10, 0, 100})), IsEmpty());
  EXPECT_THAT(Found(settings, Latencies({10, 0, 100, 10})), ElementsAre(2));
}

TEST(OutlierRules, EachIsFoundOnceForItsFirstCause) {
  OutlierSettings settings = BySuccessRate();
  settings.failure_percentage = 50;
  settings.latency_factor = 3;
  std::vector<OutlierFigures> figures = Successes({100, 100, 0, 100, 100, 100});
  for (OutlierFigures& each : figures) each.latency = 10;
  figures[2].latency = 1000;
  figures[4].latency = 500;
  const auto found = FindOutliers(settings, figures);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].cause, EjectionCause::kSuccessRate);
  EXPECT_EQ(found[0].index, 2u);
  EXPECT_EQ(found[1].cause, EjectionCause::kLatency);
  EXPECT_EQ(found[1].index, 4u);
}

TEST(OutlierRules, ALatencyIsAveragedOverIntervals) {
  EXPECT_EQ(AverageLatency(0, 40), 40);
  EXPECT_EQ(AverageLatency(40, 80), 60);
  EXPECT_EQ(AverageLatency(60, 80), 70);
}

TEST(OutlierRules, AtMostAShareAndAlwaysOne) {
  OutlierSettings settings;  // 10%
  EXPECT_TRUE(MayEject(settings, 2, 0, 1));
  EXPECT_FALSE(MayEject(settings, 2, 1, 1));
  EXPECT_TRUE(MayEject(settings, 10, 0, 9));
  EXPECT_FALSE(MayEject(settings, 10, 1, 8));
  EXPECT_FALSE(MayEject(settings, 19, 1, 17));
  EXPECT_TRUE(MayEject(settings, 20, 1, 18));
  EXPECT_FALSE(MayEject(settings, 20, 2, 17));
  settings.max_ejection_percent = 0;
  EXPECT_TRUE(MayEject(settings, 10, 0, 9));
  EXPECT_FALSE(MayEject(settings, 10, 1, 8));
  settings.max_ejection_percent = 29;  // of a hundred: 29, whatever floating point makes of it
  EXPECT_TRUE(MayEject(settings, 100, 28, 71));
  EXPECT_FALSE(MayEject(settings, 100, 29, 70));
}

TEST(OutlierRules, TheLastOneStays) {
  OutlierSettings settings;
  EXPECT_FALSE(MayEject(settings, 1, 0, 0)) << "the only one";
  settings.max_ejection_percent = 100;
  EXPECT_FALSE(MayEject(settings, 1, 0, 0));
  EXPECT_TRUE(MayEject(settings, 3, 1, 1));
  EXPECT_FALSE(MayEject(settings, 3, 2, 0));
}

TEST(OutlierRules, EjectionsGrowUpToTheLongest) {
  Random random(1);
  OutlierSettings settings;
  settings.max_ejection_time = 100 * kSecond;
  EXPECT_EQ(EjectionTime(settings, 1, random), 30 * kSecond);
  EXPECT_EQ(EjectionTime(settings, 2, random), 60 * kSecond);
  EXPECT_EQ(EjectionTime(settings, 3, random), 90 * kSecond);
  EXPECT_EQ(EjectionTime(settings, 4, random), 100 * kSecond);
  EXPECT_EQ(EjectionTime(settings, UINT64_MAX, random), 100 * kSecond);
  EXPECT_EQ(NextEjection(settings, 0), 1u);
  EXPECT_EQ(NextEjection(settings, 3), 4u);
  EXPECT_EQ(NextEjection(settings, 4), 4u) << "more would only take longer to work off";

  settings.max_ejection_time = kSecond;  // less than one ejection: that is the longest
  EXPECT_EQ(EjectionTime(settings, 1, random), 30 * kSecond);
  EXPECT_EQ(EjectionTime(settings, 2, random), 30 * kSecond);
  EXPECT_EQ(NextEjection(settings, 1), 1u);
}

TEST(OutlierRules, JitterMakesThemLonger) {
  Random random(1);
  OutlierSettings settings;
  settings.ejection_jitter = 10 * kSecond;
  Nanos least = INT64_MAX;
  Nanos most = 0;
  for (int i = 0; i < 1000; ++i) {
    const Nanos time = EjectionTime(settings, 1, random);
    least = std::min(least, time);
    most = std::max(most, time);
  }
  EXPECT_GE(least, 30 * kSecond);
  EXPECT_LT(least, 31 * kSecond);
  EXPECT_GT(most, 39 * kSecond);
  EXPECT_LT(most, 40 * kSecond);
  EXPECT_GE(EjectionTime(settings, 100, random), 300 * kSecond) << "beyond the longest, too";
}

}  // namespace
}  // namespace sluice
