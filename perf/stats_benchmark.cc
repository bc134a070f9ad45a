// What counting costs a worker, and a scrape the main thread.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/server/admin/admin_page.h"
#include "core/server/admin/query.h"
#include "core/stats/directory.h"
#include "core/stats/prometheus.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

std::unique_ptr<StatsSegment> Segment(uint32_t workers) {
  StatsOptions options;
  options.workers = workers;
  return StatsSegment::Create(options).value();
}

void BM_CounterInc(benchmark::State& state) {
  const auto segment = Segment(1);
  StatsDirectory directory(*segment);
  Counter counter = segment->worker_row(0).counter(directory.Counter({"a_total", ""}));
  for (auto _ : state) {
    counter.Inc();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_CounterInc);

// Two workers count the same series: each on its own lines, so it costs what one pays.
void BM_CounterIncTwoThreads(benchmark::State& state) {
  static const auto segment = Segment(2);
  static const SeriesId id = StatsDirectory(*segment).Counter({"a_total", ""});
  Counter counter = segment->worker_row(static_cast<uint32_t>(state.thread_index())).counter(id);
  for (auto _ : state) {
    counter.Inc();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_CounterIncTwoThreads)->Threads(2);

void BM_HistogramRecord(benchmark::State& state) {
  const auto segment = Segment(1);
  StatsDirectory directory(*segment);
  Histogram histogram = segment->worker_row(0).histogram(directory.Histogram({"a_seconds", ""}));
  uint64_t value = 1;
  for (auto _ : state) {
    value = value * 6364136223846793005u + 1442695040888963407u;
    histogram.Record(value >> 50);  // up to 16 ms
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_HistogramRecord);

// Of each of `clusters` 8 counters, a gauge and a histogram, of 4 workers.
std::unique_ptr<StatsSegment> SegmentOf(int64_t clusters) {
  auto segment = Segment(4);
  StatsDirectory directory(*segment);
  for (int64_t cluster = 0; cluster < clusters; ++cluster) {
    const std::string name = "cluster-" + std::to_string(cluster);
    std::vector<SeriesId> counters;
    for (int i = 0; i < 8; ++i) {
      const std::string family = "sluice_upstream_thing" + std::to_string(i) + "_total";
      counters.push_back(directory.Counter({family, "A thing."}, {{"cluster", name}}));
    }
    const SeriesId gauge =
        directory.Gauge({"sluice_upstream_active", "Active."}, {{"cluster", name}});
    const SeriesId histogram = directory.Histogram(
        {"sluice_upstream_duration_seconds", "Time.", MetricUnit::kMicroseconds},
        {{"cluster", name}});
    for (uint32_t worker = 0; worker < 4; ++worker) {
      const StatsRow row = segment->worker_row(worker);
      for (const SeriesId id : counters) row.counter(id).Inc(1000);
      row.gauge(gauge).Set(3);
      for (uint64_t value = 100; value < 20000; value += 100) {
        row.histogram(histogram).Record(value);
      }
    }
  }
  return segment;
}

// A whole scrape of range(0) clusters.
void BM_RenderPrometheus(benchmark::State& state) {
  const auto segment = SegmentOf(state.range(0));
  const StatsReader reader(*segment);
  for (auto _ : state) benchmark::DoNotOptimize(RenderPrometheus(reader));
  state.counters["per_series"] = benchmark::Counter(
      static_cast<double>(reader.series_count()),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_RenderPrometheus)->Arg(10)->Arg(1000)->Unit(benchmark::kMillisecond);

double ThreadMilliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// What a scrape of 100,000 series costs the main thread, and how long it keeps it from others: the
// longest of the slices of /metrics (range 0) or /stats (1).
void BM_AdminPageOf100000Series(benchmark::State& state) {
  const auto segment = SegmentOf(10'000);
  double longest = 0;
  size_t bytes = 0;
  for (auto _ : state) {
    double before = ThreadMilliseconds();
    const std::unique_ptr<AdminPage> page =
        state.range(0) == 0 ? NewMetricsPage(StatsReader(*segment), Query(""), "")
                            : NewStatsPage(StatsReader(*segment), Query(""), false).value();
    std::string slice;
    bytes = 0;
    for (bool more = true; more;) {
      slice.clear();
      more = page->RenderSome(slice);
      const double now = ThreadMilliseconds();
      longest = std::max(longest, now - std::exchange(before, now));
      bytes += slice.size();
    }
  }
  state.counters["longest_slice_ms"] = longest;
  state.counters["MB"] = static_cast<double>(bytes) / 1e6;
}
BENCHMARK(BM_AdminPageOf100000Series)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice
