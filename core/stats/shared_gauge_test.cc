#include "core/stats/shared_gauge.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "core/stats/directory.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

constexpr Metric kActive = {"active", "In flight."};

TEST(SharedGauge, AllThreadsCountInOneCell) {
  const auto segment = StatsSegment::Create({.workers = 2}).value();
  StatsDirectory directory(*segment);
  const SharedGauge gauge = directory.SharedGauge(kActive, {{"endpoint", "a"}});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([gauge] {
      for (int n = 0; n < 20'000; ++n) {
        gauge.Add();
        if (n % 2 == 0) gauge.Sub();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(gauge.value(), 40'000u);
  EXPECT_EQ(directory.SharedGauge(kActive, {{"endpoint", "a"}}).value(), 40'000u) << "the same";
  EXPECT_EQ(directory.SharedGauge(kActive, {{"endpoint", "b"}}).value(), 0u);
  const SeriesId id = directory.Gauge(kActive, {{"endpoint", "a"}});
  EXPECT_EQ(StatsReader(*segment).gauge(id), 40'000) << "it is exported";
}

TEST(SharedGauge, TryAddStopsAtTheLimit) {
  const auto segment = StatsSegment::Create({}).value();
  StatsDirectory directory(*segment);
  const SharedGauge gauge = directory.SharedGauge(kActive);
  EXPECT_FALSE(gauge.TryAdd(0));
  EXPECT_TRUE(gauge.TryAdd(2));
  EXPECT_TRUE(gauge.TryAdd(2));
  EXPECT_FALSE(gauge.TryAdd(2));
  gauge.Sub();
  EXPECT_TRUE(gauge.TryAdd(2));
}

TEST(SharedGauge, OneThatDoesNotFitCountsAllTheSame) {
  StatsOptions options;
  options.limits = StatsLimits{.max_series = 3};
  const auto segment = StatsSegment::Create(options).value();
  StatsDirectory directory(*segment, [](std::string_view) {});
  directory.SharedGauge(kActive);
  const SharedGauge a = directory.SharedGauge(kActive, {{"endpoint", "a"}});
  const SharedGauge b = directory.SharedGauge(kActive, {{"endpoint", "b"}});
  a.Add();
  EXPECT_EQ(a.value(), 1u);
  EXPECT_EQ(b.value(), 0u) << "each has a cell of its own";
  EXPECT_EQ(directory.SharedGauge(kActive, {{"endpoint", "a"}}).value(), 1u);
}

// A process that ends without giving back leaves nothing to its successor, nor to the next but one,
// which has its bank.
TEST(SharedGauge, NothingIsLeftOfAProcessThatIsGone) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("sluice_shared_gauge." + std::to_string(getpid())))
          .string();
  for (int process = 0; process < 3; ++process) {
    const auto segment = StatsSegment::Attach(path, {}).value();
    StatsDirectory directory(*segment);
    const SharedGauge gauge = directory.SharedGauge(kActive);
    EXPECT_EQ(gauge.value(), 0u) << process;
    EXPECT_EQ(StatsReader(*segment).gauge(directory.Gauge(kActive)), 0) << process;
    gauge.Add();
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace sluice
