#include "core/stats/row.h"

#include <optional>

#include "core/base/check.h"
#include "core/stats/layout.h"
#include "core/stats/row_pages.h"

namespace sluice {
namespace {

// The series' cell, if it has one.
std::optional<uint32_t> CellOf(const StatsSegmentHeader& header, SeriesId id, MetricKind kind) {
  if (id.dropped()) return std::nullopt;
  CHECK(id.index() < header.series_count.load(std::memory_order_acquire));
  const StatsRegions regions = RegionsOf(header.limits);
  const auto& series = StatsAt<StatsSeriesEntry>(header, regions.series)[id.index()];
  if (series.generation.load(std::memory_order_acquire) != id.generation()) return std::nullopt;
  const uint32_t family = series.family.load(std::memory_order_relaxed);
  const uint8_t family_kind = StatsAt<StatsFamilyEntry>(header, regions.families)[family].kind;
  CHECK(family_kind == static_cast<uint8_t>(kind));
  return series.cell.load(std::memory_order_relaxed);
}

}  // namespace

StatsCell* StatsRow::ScalarOf(SeriesId id, MetricKind kind) const {
  const std::optional<uint32_t> index = CellOf(pages_->header(), id, kind);
  StatsCell* const cell = index && !discards_ ? pages_->Scalar(*index) : nullptr;
  return cell == nullptr ? &pages_->row().scratch : cell;
}

Counter StatsRow::counter(SeriesId id) const { return Counter(ScalarOf(id, MetricKind::kCounter)); }

Gauge StatsRow::gauge(SeriesId id) const { return Gauge(ScalarOf(id, MetricKind::kGauge)); }

Histogram StatsRow::histogram(SeriesId id) const {
  const std::optional<uint32_t> index = CellOf(pages_->header(), id, MetricKind::kHistogram);
  StatsHistogramCells* const cells = index && !discards_ ? pages_->Histogram(*index) : nullptr;
  return Histogram(cells == nullptr ? &pages_->row().scratch_histogram : cells, pages_->cells(),
                   pages_);
}

}  // namespace sluice
