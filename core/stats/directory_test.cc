#include "core/stats/directory.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/stats/reader.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

constexpr Metric kRequests = {"requests_total", "Requests."};
constexpr std::string_view kDropped = "sluice_stats_dropped_registrations_total";

std::unique_ptr<StatsSegment> Segment(const StatsLimits& limits = {}) {
  return StatsSegment::Create(limits).value();
}

// One series is the directory's own.
TEST(StatsDirectory, SameNameAndLabelsIsTheSameSeries) {
  const auto segment = Segment();
  StatsDirectory directory(*segment);
  const SeriesId id = directory.Counter(kRequests, {{"cluster", "api"}, {"code", "200"}});
  EXPECT_EQ(directory.Counter(kRequests, {{"cluster", "api"}, {"code", "200"}}), id);
  EXPECT_EQ(directory.Counter(kRequests, {{"code", "200"}, {"cluster", "api"}}), id);
  EXPECT_NE(directory.Counter(kRequests, {{"cluster", "api"}, {"code", "404"}}), id);
  EXPECT_NE(directory.Counter(kRequests, {{"cluster", "api"}}), id);
  EXPECT_NE(directory.Counter(kRequests), id);
  EXPECT_NE(directory.Counter({"other_total", ""}, {{"cluster", "api"}, {"code", "200"}}), id);
  EXPECT_EQ(StatsReader(*segment).series_count(), 6u);
}

TEST(StatsDirectory, SeriesHaveCellsOfTheirOwn) {
  const auto segment = Segment({.workers = 2});
  StatsDirectory directory(*segment);
  std::vector<SeriesId> ids;
  for (int i = 0; i < 100; ++i) {
    ids.push_back(directory.Counter(kRequests, {{"i", std::to_string(i)}}));
    segment->worker_row(0).counter(ids.back()).Inc(static_cast<uint64_t>(i));
    segment->worker_row(1).counter(ids.back()).Inc(1000);
  }
  const StatsReader reader(*segment);
  for (uint64_t i = 0; i < 100; ++i) EXPECT_EQ(reader.counter(ids[i]), 1000 + i);
}

TEST(StatsDirectory, TakesOverWhatIsRegistered) {
  const auto segment = Segment();
  const SeriesId id = StatsDirectory(*segment).Counter(kRequests, {{"a", "b"}});
  const uint32_t count = StatsReader(*segment).series_count();
  EXPECT_EQ(StatsDirectory(*segment).Counter(kRequests, {{"a", "b"}}), id);
  EXPECT_EQ(StatsReader(*segment).series_count(), count);
}

TEST(StatsDirectory, EntriesSayWhatWasRegistered) {
  const auto segment = Segment();
  StatsDirectory directory(*segment);
  const SeriesId id = directory.Histogram({"d_seconds", "Time.", MetricUnit::kMicroseconds},
                                          {{"route", "/"}, {"cluster", "a\"b"}});
  const StatsReader reader(*segment);
  const StatsReader::Series series = reader.series(id.index());
  EXPECT_EQ(series.labels, "cluster=\"a\\\"b\",route=\"/\"");
  const StatsReader::Family family = reader.family(series.family);
  EXPECT_EQ(family.name, "d_seconds");
  EXPECT_EQ(family.help, "Time.");
  EXPECT_EQ(family.kind, MetricKind::kHistogram);
  EXPECT_EQ(family.unit, MetricUnit::kMicroseconds);
  EXPECT_EQ(reader.Find("d_seconds", {{"cluster", "a\"b"}, {"route", "/"}}), id);
  EXPECT_EQ(reader.Find("d_seconds"), std::nullopt);
}

// Fills a directory in one of its four dimensions; what follows must be lost, counted and said
// once.
class FullDirectoryTest : public testing::TestWithParam<StatsLimits> {};

TEST_P(FullDirectoryTest, DropsCountsAndWarnsOnce) {
  const auto segment = Segment(GetParam());
  std::vector<std::string> warnings;
  StatsDirectory directory(*segment, [&warnings](std::string_view w) { warnings.emplace_back(w); });
  const StatsReader reader(*segment);

  std::vector<SeriesId> kept;
  uint64_t dropped = 0;
  for (int i = 0; i < 50; ++i) {
    const std::string name = "sizes" + std::to_string(i) + "_bytes";
    const SeriesId id = directory.Histogram({name, "help"});
    if (id.dropped()) {
      ++dropped;
      EXPECT_EQ(reader.Find(name), std::nullopt);
    } else {
      kept.push_back(id);
    }
    Histogram histogram = segment->worker_row(0).histogram(id);
    for (uint64_t value = 1; value < 1 << 20; value *= 2) histogram.Record(value);
  }
  EXPECT_GT(kept.size(), 0u);
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(reader.counter(reader.Find(kDropped).value()), dropped);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("sizes" + std::to_string(kept.size()) + "_bytes"), std::string::npos)
      << warnings[0];

  HistogramSnapshot snapshot;
  for (const SeriesId id : kept) {
    reader.histogram(id, snapshot);
    EXPECT_EQ(snapshot.count(), 20u) << "what was dropped must not count here";
  }
  EXPECT_EQ(directory.Histogram({"sizes0_bytes", "help"}), kept[0]) << "what is there is found";
}

std::string NameOf(const testing::TestParamInfo<StatsLimits>& info) {
  static constexpr const char* kNames[] = {"Series", "Histograms", "Families", "Text"};
  return kNames[info.index];
}

INSTANTIATE_TEST_SUITE_P(Limits, FullDirectoryTest,
                         testing::Values(StatsLimits{.max_series = 5},
                                         StatsLimits{.max_histograms = 5},
                                         StatsLimits{.max_families = 5},
                                         StatsLimits{.text_size = 200}),
                         NameOf);

TEST(StatsDirectory, DroppedCountersAndGaugesCountNowhere) {
  const auto segment = Segment({.max_series = 2});
  StatsDirectory directory(*segment, [](std::string_view) {});
  const SeriesId kept = directory.Counter({"kept_total", ""});
  const SeriesId counter = directory.Counter({"lost_total", ""});
  const SeriesId gauge = directory.Gauge({"lost", ""});
  ASSERT_FALSE(kept.dropped());
  ASSERT_TRUE(counter.dropped());
  ASSERT_TRUE(gauge.dropped());
  segment->worker_row(0).counter(counter).Inc(7);
  segment->worker_row(0).gauge(gauge).Set(7);
  const StatsReader reader(*segment);
  EXPECT_EQ(reader.counter(kept), 0u);
  EXPECT_EQ(reader.counter(counter), 0u);
  EXPECT_EQ(reader.gauge(gauge), 0);
  EXPECT_EQ(reader.counter(reader.Find(kDropped).value()), 2u);
}

TEST(StatsDirectory, NoRoomAtAllIsNoCrash) {
  const auto segment = Segment(
      {.workers = 1, .max_series = 0, .max_histograms = 0, .max_families = 0, .text_size = 0});
  StatsDirectory directory(*segment, [](std::string_view) {});
  EXPECT_TRUE(directory.Counter(kRequests).dropped());
  segment->worker_row(0).counter(SeriesId()).Inc();
  EXPECT_EQ(StatsReader(*segment).series_count(), 0u);
}

TEST(StatsDirectoryDeathTest, FaultsOfOurOwnCodeAreCaught) {
  const auto segment = Segment();
  StatsDirectory directory(*segment);
  directory.Counter(kRequests);
  EXPECT_DEATH(directory.Counter({"requests", ""}), "_total");
  EXPECT_DEATH(directory.Gauge({"gauge_total", ""}), "_total");
  EXPECT_DEATH(directory.Gauge({"with space", ""}), "IsMetricName");
  EXPECT_DEATH(directory.Gauge({"g", ""}, {{"a:b", ""}}), "IsLabelName");
  EXPECT_DEATH(directory.Gauge({"g", ""}, {{"a", "1"}, {"a", "2"}}), "labels");
  directory.Gauge({"g", ""});
  EXPECT_DEATH(directory.Histogram({"g", ""}), "kind");
}

}  // namespace
}  // namespace sluice
