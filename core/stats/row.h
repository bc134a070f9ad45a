// StatsRow: one thread's cells of every series. A view, copied freely; it borrows the
// segment. Handles are looked up here once, when a worker sets up, and kept: nothing on the request
// path asks a row.
//
// Cells lie in pages that a row takes when the first handle in them is made. If shared memory is
// full then, the handle is that of a dropped series, and the failure is counted (StatsPages).
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

class StatsRowPages;

class StatsRow {
 public:
  explicit StatsRow(StatsRowPages* pages) : pages_(pages) {}
  // The same row, but each handle is that of a dropped series: what counts through it shows
  // nowhere.
  StatsRow Discarding() const {
    StatsRow row(pages_);
    row.discards_ = true;
    return row;
  }

  // The row's cell of a series; of a dropped or recycled one, and of one of another kind, a scratch
  // cell of this same row. REQUIRES: the id comes from a directory of this segment.
  Counter counter(SeriesId id) const;
  Gauge gauge(SeriesId id) const;
  Histogram histogram(SeriesId id) const;
  // A gauge's cell for a SharedGauge; null where it would be a scratch cell. REQUIRES: this is the
  // main thread's row, and its thread makes no Gauge of that series.
  StatsCell* shared_cell(SeriesId id) const;

 private:
  StatsCell* ScalarOf(SeriesId id, MetricKind kind) const;

  StatsRowPages* pages_;
  bool discards_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_ROW_H_
