// StatsRow: one thread's cells of every series. A view of two words, copied freely; it borrows the
// segment. Handles are looked up here once, when a worker sets up, and kept: nothing on the request
// path asks a row.
//
// Threads: only the row's owner writes through its handles. They may be made on any thread that got
// the SeriesId after its registration (by a post, or because the worker started later).
#ifndef SLUICE_CORE_STATS_ROW_H_
#define SLUICE_CORE_STATS_ROW_H_

#include "core/stats/counter.h"
#include "core/stats/gauge.h"
#include "core/stats/histogram.h"
#include "core/stats/metric.h"

namespace sluice {

struct StatsSegmentHeader;
struct StatsRowHeader;

class StatsRow {
 public:
  StatsRow(const StatsSegmentHeader* segment, StatsRowHeader* row) : segment_(segment), row_(row) {}

  // The row's cell of a series; of a dropped one, a scratch cell of this same row. REQUIRES: the id
  // comes from a directory of this segment, and is of that kind.
  Counter counter(SeriesId id) const;
  Gauge gauge(SeriesId id) const;
  Histogram histogram(SeriesId id) const;

 private:
  StatsCell* ScalarOf(SeriesId id, MetricKind kind) const;

  const StatsSegmentHeader* segment_;
  StatsRowHeader* row_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_ROW_H_
