// StatsReader: what all rows say together. Relaxed loads only: it never touches a worker, and may
// run on any thread or in any process while series are registered and counted. A view of a few
// words that borrows the segment (or the StatsFile).
//
// Counters and histograms are summed over every row ever used, of both banks, so they never go
// backwards; gauges over the banks whose process lived when the reader was made, or of the later of
// these alone (GaugeOf).
//
// Nothing in the segment is believed: each position is checked before it is followed, and what
// makes no sense reads as nothing. A segment that another process damages never crashes a reader.
#ifndef SLUICE_CORE_STATS_READER_H_
#define SLUICE_CORE_STATS_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/stats/histogram_snapshot.h"
#include "core/stats/limits.h"
#include "core/stats/metric.h"

namespace sluice {

class StatsSegment;
template <typename Header>
class StatsPlaces;
struct StatsFamilyEntry;
struct StatsSegmentHeader;
struct StatsSeriesEntry;

class StatsReader {
 public:
  struct Family {
    std::string_view name;
    std::string_view help;
    MetricKind kind = MetricKind::kCounter;
    MetricUnit unit = MetricUnit::kNone;
  };
  struct Series {
    SeriesId id;
    uint32_t family = 0;  // index, below family_count()
    std::string labels;   // as Prometheus writes them, without braces: cluster="api",zone="b"
  };

  explicit StatsReader(const StatsSegment& segment);
  // REQUIRES: a header with these limits and this size has passed CheckStatsHeader. `live_banks`: a
  // bit for each.
  StatsReader(const StatsSegmentHeader& header, const StatsLimits& limits, uint64_t size,
              uint32_t live_banks);

  // What is published by now; both only grow. Names and help stay valid with the segment.
  uint32_t family_count() const;
  uint32_t series_count() const;
  Family family(uint32_t index) const;

  // The series in this place, if it is shown: if a live process uses it, or no process lives.
  // Not shown: shared words, and what is being recycled. False leaves `out` with anything.
  bool Read(uint32_t index, Series& out) const;
  // The same without the labels, which cost most of it.
  bool ReadFamily(uint32_t index, Series& out) const;

  // Zero of another kind, of a dropped series, and of one recycled since.
  uint64_t counter(SeriesId id) const;
  int64_t gauge(SeriesId id) const;
  void histogram(SeriesId id, HistogramSnapshot& out) const;  // replaces what is in `out`

  // For tests and the admin API: walks the directory.
  std::optional<SeriesId> Find(std::string_view name, const LabelList& labels = {}) const;

 private:
  StatsPlaces<const StatsSegmentHeader> places() const;
  std::string_view FamilyText(uint32_t offset, uint32_t length) const;
  // Its entry, if the id's generation is still the entry's, and it is of that kind.
  const StatsSeriesEntry* EntryOf(SeriesId id, MetricKind kind) const;
  static bool IsCurrent(const StatsSeriesEntry& entry, SeriesId id);
  // The same of what was read from its cells and text in between.
  static bool IsStillCurrent(const StatsSeriesEntry& entry, SeriesId id);
  uint64_t SumScalars(SeriesId id, MetricKind kind) const;
  uint32_t BanksOf(const StatsFamilyEntry& family) const;

  const StatsSegmentHeader* header_;
  uint32_t live_banks_;
  // As they were when they were checked.
  StatsLimits limits_;
  uint64_t size_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_READER_H_
