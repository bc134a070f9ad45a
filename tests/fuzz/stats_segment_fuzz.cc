// A damaged stats segment: no reader and no process that attaches may crash on it. The input is a
// list of damages to a good one: 4 bytes of place, 8 of what is written there.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/stats/directory.h"
#include "core/stats/labels.h"
#include "core/stats/layout.h"
#include "core/stats/prometheus.h"
#include "core/stats/segment.h"
#include "core/stats/segment_check.h"
#include "core/stats/stats_file.h"

namespace {

using namespace sluice;

constexpr size_t kSize = kStatsMinSize;

void Use(StatsSegment& segment) {
  StatsDirectory directory(segment, [](std::string_view) {});
  for (const char* label : {"a", "b"}) {
    const SeriesId counter = directory.Counter({"requests_total", "Requests."}, {{"l", label}});
    const SeriesId gauge = directory.Gauge({"active", "In flight."}, {{"l", label}});
    const SeriesId histogram =
        directory.Histogram({"times_seconds", "", MetricUnit::kMicroseconds}, {{"l", label}});
    for (const StatsRow& row : {segment.main_row(), segment.worker_row(0)}) {
      row.counter(counter).Inc();
      row.gauge(gauge).Add(2);
      Histogram times = row.histogram(histogram);
      for (uint64_t value = 1; value < kHistogramMax; value *= 3) times.Record(value);
    }
    directory.Word("word", {{"l", label}}).FetchAdd(1);
  }
}

void Read(const StatsReader& reader) {
  for (const PrometheusFormat format : {PrometheusFormat::kText, PrometheusFormat::kOpenMetrics}) {
    PrometheusOptions options;
    options.format = format;
    RenderPrometheus(reader, options);
  }
  HistogramSnapshot snapshot;
  StatsReader::Series series;
  for (uint32_t i = 0; i < reader.series_count(); ++i) {
    if (!reader.Read(i, series)) continue;
    ParseLabels(series.labels);
    reader.histogram(series.id, snapshot);
    snapshot.Quantile(0.99);
  }
}

// The bytes of a segment whose process has ended.
std::vector<char> GoodSegment(const std::string& path) {
  std::filesystem::remove(path);
  StatsOptions options;
  options.size = kSize;
  Use(**StatsSegment::Attach(path, options));
  std::ifstream file(path, std::ios::binary);
  std::vector<char> bytes(kSize);
  file.read(bytes.data(), kSize);
  return bytes;
}

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string path =
      std::filesystem::temp_directory_path() / ("sluice-stats-fuzz." + std::to_string(getpid()));
  static const std::vector<char> good = GoodSegment(path);

  // Of its exact size, so that the sanitizer sees its end.
  const std::unique_ptr<void, Free> memory(std::aligned_alloc(kStatsPage, kSize));
  char* const bytes = static_cast<char*>(memory.get());
  std::memcpy(bytes, good.data(), kSize);
  for (size_t i = 0; i + 12 <= size; i += 12) {
    uint32_t place = 0;
    std::memcpy(&place, data + i, 4);
    std::memcpy(bytes + place % (kSize - 8), data + i + 4, 8);
  }

  const auto& header = *static_cast<const StatsSegmentHeader*>(memory.get());
  if (!CheckStatsHeader(header, kSize)) return 0;
  // Also when its contents are bad: they may become so after the check.
  Read(StatsReader(header, header.limits, kSize, 0));
  Read(StatsReader(header, header.limits, kSize, 3));
  if (!CheckStatsContents(header, header.limits, kSize)) return 0;

  std::ofstream(path, std::ios::binary).write(bytes, kSize);
  StatsOptions options;
  options.size = kSize;
  options.warn = [](std::string_view) {};
  const auto segment = StatsSegment::Attach(path, options);
  CHECK(segment);  // if it was damaged beyond use, another was begun
  Use(**segment);
  Read(StatsReader(**segment));
  const auto file = StatsFile::Open(path);
  if (!file) Log(LogLevel::kError, "stats", file.error().detail);
  CHECK(file);
  Read((*file)->reader());
  std::filesystem::remove(path);
  std::filesystem::remove(path + ".old");
  return 0;
}
