// StatsReader: what all rows say together. Relaxed loads only: it never touches a worker, and may
// run on any thread while series are registered and counted. A view of one word that borrows the
// segment.
//
// Counters and histograms are summed over every row ever used, of both banks; gauges over the banks
// whose process lives.
#ifndef SLUICE_CORE_STATS_READER_H_
#define SLUICE_CORE_STATS_READER_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/stats/histogram_snapshot.h"
#include "core/stats/metric.h"

namespace sluice {

class StatsSegment;
struct StatsSegmentHeader;
struct StatsText;

class StatsReader {
 public:
  struct Family {
    std::string_view name;
    std::string_view help;
    MetricKind kind;
    MetricUnit unit;
  };
  struct Series {
    uint32_t family;          // index, below family_count()
    std::string_view labels;  // as Prometheus writes them, without braces: cluster="api",zone="b"
  };

  explicit StatsReader(const StatsSegment& segment);

  // What is published by now; both only grow. Indexes and text stay valid with the segment.
  uint32_t family_count() const;
  uint32_t series_count() const;
  Family family(uint32_t index) const;
  Series series(uint32_t index) const;

  // REQUIRES: a series of that kind. A dropped one reads 0.
  uint64_t counter(SeriesId id) const;
  int64_t gauge(SeriesId id) const;
  void histogram(SeriesId id, HistogramSnapshot& out) const;  // replaces what is in `out`

  // For tests and the admin API: walks the directory.
  std::optional<SeriesId> Find(std::string_view name, const LabelList& labels = {}) const;

 private:
  uint64_t SumScalars(SeriesId id, MetricKind kind, bool owned_only) const;
  std::string_view Text(const StatsText& text) const;

  const StatsSegmentHeader* header_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_READER_H_
