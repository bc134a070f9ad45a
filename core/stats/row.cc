#include "core/stats/row.h"

#include "core/base/check.h"
#include "core/stats/layout.h"

namespace sluice {
namespace {

// The series' cell index, having checked that it is registered, and of that kind.
uint32_t CellIndexOf(const StatsSegmentHeader& segment, SeriesId id, MetricKind kind) {
  CHECK(id.index() < segment.series_count.load(std::memory_order_acquire));
  const StatsSeriesEntry& series = SeriesOf(segment)[id.index()];
  CHECK(FamiliesOf(segment)[series.family].kind == kind);
  return series.cell;
}

}  // namespace

StatsCell* StatsRow::ScalarOf(SeriesId id, MetricKind kind) const {
  if (id.dropped()) return &row_->scratch;
  return ScalarsOf(*segment_, row_) + CellIndexOf(*segment_, id, kind);
}

Counter StatsRow::counter(SeriesId id) const { return Counter(ScalarOf(id, MetricKind::kCounter)); }

Gauge StatsRow::gauge(SeriesId id) const { return Gauge(ScalarOf(id, MetricKind::kGauge)); }

Histogram StatsRow::histogram(SeriesId id) const {
  if (id.dropped()) return Histogram(&row_->scratch_histogram, row_);
  return Histogram(
      HistogramsOf(*segment_, row_) + CellIndexOf(*segment_, id, MetricKind::kHistogram), row_);
}

}  // namespace sluice
