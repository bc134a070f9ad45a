#include "core/stats/segment.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "core/stats/directory.h"
#include "core/stats/layout.h"
#include "core/stats/prometheus.h"
#include "core/stats/reader.h"

namespace sluice {
namespace {

constexpr StatsLimits kFew = {
    .max_series = 10, .max_histograms = 3, .max_words = 4, .max_families = 10, .text_size = 4096};
const StatsOptions kSmall = {.workers = 3, .limits = kFew, .size = kStatsMinSize};

std::vector<unsigned char> Bytes(const StatsSegment& segment) {
  const auto* begin = reinterpret_cast<const unsigned char*>(&segment.header());
  return {begin, begin + segment.header().size};
}

// Everything a thread can write through the handles of its row.
void WriteAll(const StatsRow& row, SeriesId counter, SeriesId gauge, SeriesId histogram) {
  row.counter(counter).Inc();
  row.gauge(gauge).Set(-1);
  row.counter(SeriesId()).Inc();
  row.gauge(SeriesId()).Add(2);
  for (unsigned b = 0; b < kHistogramBuckets; ++b) {
    row.histogram(histogram).Record(HistogramBucketLower(b));
    row.histogram(SeriesId()).Record(HistogramBucketLower(b));
  }
}

TEST(StatsSegment, HeaderSaysWhatItIs) {
  const auto segment = StatsSegment::Create(kSmall).value();
  EXPECT_EQ(segment->header().magic, kStatsMagic);
  EXPECT_EQ(segment->header().layout_version, kStatsLayoutVersion);
  EXPECT_EQ(segment->workers(), 3u);
}

TEST(StatsSegment, RefusesWhatItsLayoutCannotSay) {
  StatsLimits limits = kFew;
  limits.max_histograms = 1u << 30;
  for (const StatsOptions& options :
       {StatsOptions{.limits = limits}, StatsOptions{.size = 4096}, StatsOptions{.size = 0},
        StatsOptions{.size = uint64_t{1} << 50}, StatsOptions{.workers = kStatsMaxRows}}) {
    const auto segment = StatsSegment::Create(options);
    ASSERT_FALSE(segment.has_value());
    EXPECT_EQ(segment.error().code, Code::kInvalidArgument);
  }
}

TEST(StatsSegment, NoTwoThreadsWriteOneCacheLine) {
  const auto segment = StatsSegment::Create(kSmall).value();
  StatsDirectory directory(*segment);
  const SeriesId counter = directory.Counter({"a_total", ""});
  const SeriesId gauge = directory.Gauge({"b", ""});
  const SeriesId histogram = directory.Histogram({"c", ""});

  constexpr size_t kLine = 128;  // a pair of lines: what the adjacent-line prefetcher fetches
  const std::vector<unsigned char> before = Bytes(*segment);
  std::vector<int> writer(before.size() / kLine, -1);
  for (int thread = 0; thread < 4; ++thread) {
    const std::vector<unsigned char> start = Bytes(*segment);
    WriteAll(
        thread == 0 ? segment->main_row() : segment->worker_row(static_cast<uint32_t>(thread - 1)),
        counter, gauge, histogram);
    const std::vector<unsigned char> end = Bytes(*segment);
    size_t written = 0;
    for (size_t i = 0; i < end.size(); ++i) {
      if (start[i] == end[i]) continue;
      ++written;
      int& owner = writer[i / kLine];
      if (i / kLine == offsetof(StatsSegmentHeader, pages_used) / kLine) continue;
      ASSERT_TRUE(owner == -1 || owner == thread) << "line at " << i << " of " << owner;
      owner = thread;
    }
    EXPECT_GT(written, 2u * kHistogramBuckets);
  }
  // Nor does counting touch what the main thread writes when it registers.
  for (size_t line = 0; line < RegionsOf(kFew).pages / kLine; ++line) {
    if (line == offsetof(StatsSegmentHeader, pages_used) / kLine) continue;  // when pages are taken
    ASSERT_EQ(writer[line], -1);
  }
  EXPECT_EQ(offsetof(StatsSegmentHeader, pages_used) % kLine, 0u);
}

TEST(StatsSegment, ConcurrentWritersLoseNothing) {
  constexpr uint32_t kWorkers = 4;
  const auto segment = StatsSegment::Create({.workers = kWorkers}).value();
  StatsDirectory directory(*segment);
  const SeriesId counter = directory.Counter({"requests_total", ""});
  const SeriesId gauge = directory.Gauge({"active", ""});
  const SeriesId histogram = directory.Histogram({"sizes", ""});
  constexpr uint64_t kRounds = 20000;

  std::vector<std::thread> workers;
  for (uint32_t worker = 0; worker < kWorkers; ++worker) {
    workers.emplace_back([&segment, worker, counter, gauge, histogram] {
      const StatsRow row = segment->worker_row(worker);
      Counter requests = row.counter(counter);
      Gauge active = row.gauge(gauge);
      Histogram sizes = row.histogram(histogram);
      for (uint64_t i = 0; i < kRounds; ++i) {
        requests.Inc();
        active.Add(2);
        sizes.Record(i);
        active.Sub(1);
      }
      active.Sub(static_cast<int64_t>(kRounds));
    });
  }
  // Meanwhile the main thread registers, and another reads.
  std::thread reading([&segment, counter, histogram] {
    const StatsReader reader(*segment);
    HistogramSnapshot snapshot;
    uint64_t last = 0;
    uint64_t last_count = 0;
    for (int i = 0; i < 200; ++i) {
      const uint64_t now = reader.counter(counter);
      EXPECT_GE(now, last);
      last = now;
      reader.histogram(histogram, snapshot);
      EXPECT_GE(snapshot.count(), last_count);
      last_count = snapshot.count();
      EXPECT_NE(RenderPrometheus(reader).find("requests_total "), std::string::npos);
    }
  });
  for (int i = 0; i < 50; ++i) {
    directory.Counter({"later_total", "Registered late."}, {{"i", std::to_string(i)}});
  }
  for (std::thread& worker : workers) worker.join();
  reading.join();

  const StatsReader reader(*segment);
  EXPECT_EQ(reader.counter(counter), kWorkers * kRounds);
  EXPECT_EQ(reader.gauge(gauge), 0);
  HistogramSnapshot snapshot;
  reader.histogram(histogram, snapshot);
  EXPECT_EQ(snapshot.count(), kWorkers * kRounds);
  EXPECT_EQ(snapshot.sum(), kWorkers * (kRounds * (kRounds - 1) / 2));
  for (uint64_t value = 0; value < 64; ++value) {
    EXPECT_EQ(snapshot.bucket(HistogramBucketOf(value)), kWorkers);
  }
}

// Workers bind what the main thread registers, while another thread reads.
TEST(StatsSegment, BindingRegistrationAndReadingAtTheSameTime) {
  constexpr uint32_t kWorkers = 3;
  constexpr uint32_t kSeries = 2000;
  const auto segment = StatsSegment::Create({.workers = kWorkers}).value();
  StatsDirectory directory(*segment);
  std::vector<SeriesId> counters(kSeries);
  std::vector<SeriesId> histograms(kSeries);
  std::atomic<uint32_t> registered = 0;
  std::vector<std::thread> threads;
  for (uint32_t worker = 0; worker < kWorkers; ++worker) {
    threads.emplace_back([&, worker] {
      const StatsRow row = segment->worker_row(worker);
      for (uint32_t i = 0; i < kSeries;) {
        if (i == registered.load()) std::this_thread::yield();
        for (; i < registered.load(); ++i) {
          row.counter(counters[i]).Inc();
          row.histogram(histograms[i]).Record(i);
        }
      }
    });
  }
  threads.emplace_back([&] {
    uint64_t last = 0;
    while (registered.load() < kSeries) {
      const std::string text = RenderPrometheus(StatsReader(*segment));
      EXPECT_GE(text.size(), last);
      last = text.size();
    }
  });
  for (uint32_t i = 0; i < kSeries; ++i) {
    const std::string label = std::to_string(i);
    counters[i] = directory.Counter({"a_total", ""}, {{"i", label}});
    histograms[i] = directory.Histogram({"b", ""}, {{"i", label}});
    directory.main_row().counter(counters[i]).Inc();
    registered.store(i + 1);
  }
  for (std::thread& thread : threads) thread.join();
  const StatsReader reader(*segment);
  HistogramSnapshot snapshot;
  for (uint32_t i = 0; i < kSeries; ++i) {
    ASSERT_EQ(reader.counter(counters[i]), kWorkers + 1);
    reader.histogram(histograms[i], snapshot);
    ASSERT_EQ(snapshot.count(), kWorkers);
    ASSERT_EQ(snapshot.sum(), uint64_t{kWorkers} * i);
  }
}

TEST(StatsReader, GaugesAreSigned) {
  const auto segment = StatsSegment::Create(kSmall).value();
  StatsDirectory directory(*segment);
  const SeriesId id = directory.Gauge({"b", ""});
  segment->worker_row(0).gauge(id).Add(3);
  segment->worker_row(1).gauge(id).Sub(5);
  EXPECT_EQ(segment->worker_row(1).gauge(id).value(), -5);
  EXPECT_EQ(StatsReader(*segment).gauge(id), -2);
}

TEST(StatsRow, AHandleOfAnotherKindOrOfNoSeriesCountsNowhere) {
  const auto segment = StatsSegment::Create(kSmall).value();
  StatsDirectory directory(*segment);
  const SeriesId id = directory.Gauge({"b", ""});
  segment->main_row().counter(id).Inc(7);
  segment->main_row().gauge(SeriesId(7, 2)).Set(7);
  segment->main_row().histogram(id).Record(7);
  EXPECT_EQ(StatsReader(*segment).gauge(id), 0);
}

}  // namespace
}  // namespace sluice
