#include "core/stats/directory.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/stats/layout.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

constexpr Metric kRequests = {"requests_total", "Requests."};
constexpr std::string_view kDropped = "sluice_stats_dropped_registrations_total";

std::unique_ptr<StatsSegment> Segment(const StatsOptions& options = {}) {
  return StatsSegment::Create(options).value();
}

// Three series are the directory's own.
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
  EXPECT_EQ(StatsReader(*segment).series_count(), 8u);
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
  StatsReader::Series series;
  ASSERT_TRUE(reader.Read(id.index(), series));
  EXPECT_EQ(series.id, id);
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
  const auto segment = Segment({.limits = GetParam()});
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

TEST(StatsDirectory, OfWhatThereMayBeManyRoomIsLeftForTheRest) {
  const auto segment = Segment({.limits = StatsLimits{.max_series = 80}});
  StatsDirectory directory(*segment, [](std::string_view) {});
  const auto many = [&](int i) {
    const std::string name = std::to_string(i);
    return directory.Counter(
        {"sluice_route_a_total", "", MetricUnit::kNone, GaugeOf::kAllProcesses, SeriesRank::kMany},
        {{"route", name}});
  };
  int kept = 0;
  for (int i = 0; i < 200; ++i) kept += many(i).dropped() ? 0 : 1;
  EXPECT_EQ(StatsReader(*segment).series_count(), 70u);
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(
        directory.Counter({"sluice_core_total", ""}, {{"i", std::to_string(i)}}).dropped());
  }
  EXPECT_TRUE(directory.Counter({"sluice_core_total", ""}, {{"i", "10"}}).dropped());
  EXPECT_FALSE(many(0).dropped()) << "what is there is found";
}

// The counter is of all processes ever, the gauge of this one, and of what it wants now.
TEST(StatsDirectory, SaysHowManyNamesCountNowhere) {
  const auto segment = Segment({.limits = StatsLimits{.max_series = 5}});
  StatsDirectory directory(*segment, [](std::string_view) {});
  const StatsReader reader(*segment);
  const SeriesId now = reader.Find("sluice_stats_dropped_series").value();
  for (int round = 0; round < 3; ++round) {
    for (const char* name : {"a_total", "b_total", "c_total", "d_total"}) {
      directory.Counter({name, ""});
    }
  }
  EXPECT_EQ(reader.gauge(now), 2);
  EXPECT_EQ(reader.counter(reader.Find(kDropped).value()), 6u);
}

// What does not outlive the process is told apart from what only counts nowhere.
TEST(StatsDirectory, WordsThatDoNotFitAreCountedAndToldToo) {
  const auto segment = Segment({.limits = StatsLimits{.max_series = 5}});
  std::vector<std::string> warnings;
  StatsDirectory directory(*segment, [&warnings](std::string_view w) { warnings.emplace_back(w); });
  const StatsReader reader(*segment);
  for (const char* name : {"a_total", "b_total", "c_total"}) directory.Counter({name, ""});
  for (const char* cluster : {"a", "b"}) {
    SharedWord word = directory.Word("breaker", {{"cluster", cluster}});
    word.Store(7);
    EXPECT_EQ(directory.Word("breaker", {{"cluster", cluster}}).Load(), 7u);
  }
  EXPECT_EQ(reader.gauge(reader.Find("sluice_stats_dropped_series").value()), 3);
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(warnings[0].find("a series of c_total"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[1].find("what is kept as breaker"), std::string::npos) << warnings[1];
}

std::string NameOf(const testing::TestParamInfo<StatsLimits>& info) {
  static constexpr const char* kNames[] = {"Series", "Histograms", "Families", "Text"};
  return kNames[info.index];
}

INSTANTIATE_TEST_SUITE_P(Limits, FullDirectoryTest,
                         testing::Values(StatsLimits{.max_series = 6},
                                         StatsLimits{.max_histograms = 5},
                                         StatsLimits{.max_families = 5},
                                         StatsLimits{.text_size = 400}),
                         NameOf);

TEST(StatsDirectory, DroppedCountersAndGaugesCountNowhere) {
  const auto segment = Segment({.limits = StatsLimits{.max_series = 4}});
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
  const auto segment = Segment({.limits = StatsLimits{.max_series = 0,
                                                      .max_histograms = 0,
                                                      .max_words = 0,
                                                      .max_families = 0,
                                                      .text_size = 0}});
  StatsDirectory directory(*segment, [](std::string_view) {});
  EXPECT_TRUE(directory.Counter(kRequests).dropped());
  segment->worker_row(0).counter(SeriesId()).Inc();
  EXPECT_EQ(StatsReader(*segment).series_count(), 0u);
}

// A segment file and two processes of it, whose directory is full.
class RecyclingTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "sluice-stats-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<StatsSegment> Attach() {
    StatsOptions options;
    options.size = kStatsMinSize;
    options.limits = StatsLimits{
        .max_series = 8, .max_histograms = 2, .max_words = 2, .max_families = 8, .text_size = 1024};
    return StatsSegment::Attach(folder_ + "/segment", options).value();
  }

  static SeriesId Endpoint(StatsDirectory& directory, std::string_view endpoint) {
    return directory.Counter({"endpoint_total", ""}, {{"endpoint", endpoint}});
  }
  static SeriesId Sizes(StatsDirectory& directory, std::string_view endpoint) {
    return directory.Histogram({"endpoint_bytes", ""}, {{"endpoint", endpoint}});
  }

  std::string folder_;
};

TEST_F(RecyclingTest, SeriesOfTheDeadMakeRoom) {
  SeriesId dead_counter;
  SeriesId dead_histogram;
  SeriesId gone;
  {
    const auto segment = Attach();
    StatsDirectory directory(*segment);
    dead_counter = Endpoint(directory, "a");
    gone = Endpoint(directory, "b");
    dead_histogram = Sizes(directory, "a");
    ASSERT_FALSE(Sizes(directory, "b").dropped());
    directory.Word("w").Store(5);
    for (const StatsRow& row : {segment->main_row(), segment->worker_row(0)}) {
      row.counter(dead_counter).Inc(5);
      row.counter(gone).Inc(5);
      for (uint64_t value = 1; value < 1000; ++value) row.histogram(dead_histogram).Record(value);
    }
    EXPECT_TRUE(Endpoint(directory, "c").dropped()) << "our own are not recycled";
  }
  const auto segment = Attach();
  StatsDirectory directory(*segment, [](std::string_view) {});
  const auto peer_segment = Attach();
  StatsDirectory peer(*peer_segment, [](std::string_view) {});
  const StatsReader reader(*segment);

  const SeriesId counter = Endpoint(directory, "a name that is longer than the one before it");
  ASSERT_FALSE(counter.dropped());
  const SeriesId histogram = Sizes(directory, "c");
  ASSERT_FALSE(histogram.dropped());
  EXPECT_EQ(reader.counter(counter), 0u);
  HistogramSnapshot snapshot;
  reader.histogram(histogram, snapshot);
  EXPECT_EQ(snapshot.count() + snapshot.sum(), 0u);
  segment->worker_row(0).counter(counter).Inc(2);
  segment->worker_row(0).histogram(histogram).Record(2);

  // Ids of the former generation read, and count, nowhere.
  EXPECT_EQ(reader.counter(dead_counter), 0u);
  segment->main_row().counter(dead_counter).Inc(100);
  segment->main_row().histogram(dead_histogram).Record(100);
  EXPECT_EQ(reader.counter(counter), 2u);
  reader.histogram(histogram, snapshot);
  EXPECT_EQ(snapshot.count(), 1u);

  // The other process sees the new names, and the same ids.
  EXPECT_EQ(Endpoint(peer, "a name that is longer than the one before it"), counter);
  EXPECT_EQ(Sizes(peer, "c"), histogram);
  // What one process uses is not recycled by the other; what is left is.
  const SeriesId last = Endpoint(peer, "d");
  ASSERT_FALSE(last.dropped());
  EXPECT_EQ(last.index(), gone.index());
  EXPECT_TRUE(Endpoint(directory, "e").dropped());
  EXPECT_TRUE(Endpoint(peer, "e").dropped());
  EXPECT_EQ(Endpoint(directory, "d"), last);
  EXPECT_EQ(Endpoint(directory, "a name that is longer than the one before it"), counter);
}

TEST_F(RecyclingTest, AWordIsRecycledAsAWord) {
  {
    const auto segment = Attach();
    StatsDirectory directory(*segment);
    directory.Word("w", {{"i", "1"}}).Store(1);
    directory.Word("w", {{"i", "2"}}).Store(2);
    SharedWord own = directory.Word("w", {{"i", "3"}});
    own.Store(3);
    EXPECT_EQ(directory.Word("w", {{"i", "3"}}).Load(), 3u) << "this process has it";
  }
  const auto segment = Attach();
  StatsDirectory directory(*segment, [](std::string_view) {});
  EXPECT_EQ(directory.Word("w", {{"i", "2"}}).Load(), 2u);
  EXPECT_EQ(directory.Word("w", {{"i", "3"}}).Load(), 0u);
  EXPECT_EQ(directory.Word("w", {{"i", "2"}}).Load(), 2u);
}

// Killed while it recycled: the entry is of no generation, and free for the next.
TEST_F(RecyclingTest, AHalfWrittenEntryIsTakenAnew) {
  SeriesId half;
  {
    const auto segment = Attach();
    StatsDirectory directory(*segment);
    for (const char* name : {"a", "b", "c", "d", "e"}) half = Endpoint(directory, name);
    ASSERT_FALSE(half.dropped());
    auto* entries =
        StatsAt<StatsSeriesEntry>(segment->header(), RegionsOf(segment->header().limits).series);
    entries[half.index()].generation = half.generation() + 1;
    entries[half.index()].text_capacity = 0;
  }
  const auto segment = Attach();
  StatsDirectory directory(*segment);
  EXPECT_EQ(StatsReader(*segment).Find("endpoint_total", {{"endpoint", "e"}}), std::nullopt);
  std::vector<SeriesId> ids;
  for (const char* name : {"f", "g", "h", "i", "j"}) ids.push_back(Endpoint(directory, name));
  for (const SeriesId id : ids) {
    ASSERT_FALSE(id.dropped());
    segment->main_row().counter(id).Inc();
    EXPECT_EQ(StatsReader(*segment).counter(id), 1u);
  }
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
