#include "core/stats/row.h"

#include <optional>

#include "core/stats/places.h"
#include "core/stats/row_pages.h"

namespace sluice {
namespace {

// The series' cell, if it has one.
std::optional<uint32_t> CellOf(const StatsPlaces<StatsSegmentHeader>& places, SeriesId id,
                               MetricKind kind) {
  const StatsSeriesEntry* const series = places.Series(id.index());
  if (series == nullptr || series->generation.load(std::memory_order_acquire) != id.generation()) {
    return std::nullopt;
  }
  const StatsFamilyEntry* const family =
      places.Family(series->family.load(std::memory_order_relaxed));
  if (family == nullptr || family->kind != static_cast<uint8_t>(kind)) return std::nullopt;
  return series->cell.load(std::memory_order_relaxed);
}

}  // namespace

StatsCell* StatsRow::ScalarOf(SeriesId id, MetricKind kind) const {
  const std::optional<uint32_t> index = CellOf(pages_->places(), id, kind);
  StatsCell* const cell = index && !discards_ ? pages_->Scalar(*index) : nullptr;
  return cell == nullptr ? &pages_->row().scratch : cell;
}

StatsCell* StatsRow::shared_cell(SeriesId id) const {
  StatsCell* const cell = ScalarOf(id, MetricKind::kGauge);
  return cell == &pages_->row().scratch ? nullptr : cell;
}

Counter StatsRow::counter(SeriesId id) const { return Counter(ScalarOf(id, MetricKind::kCounter)); }

Gauge StatsRow::gauge(SeriesId id) const { return Gauge(ScalarOf(id, MetricKind::kGauge)); }

Histogram StatsRow::histogram(SeriesId id) const {
  const std::optional<uint32_t> index = CellOf(pages_->places(), id, MetricKind::kHistogram);
  StatsHistogramCells* const cells = index && !discards_ ? pages_->Histogram(*index) : nullptr;
  return Histogram(cells == nullptr ? &pages_->row().scratch_histogram : cells, pages_->cells(),
                   pages_->last_octave(), pages_);
}

}  // namespace sluice
