#include "core/stats/reader.h"

#include "core/base/check.h"
#include "core/stats/labels.h"
#include "core/stats/layout.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

const StatsSeriesEntry& EntryOf(const StatsSegmentHeader& header, SeriesId id, MetricKind kind) {
  CHECK(id.index() < header.series_count.load(std::memory_order_acquire));
  const StatsSeriesEntry& entry = SeriesOf(header)[id.index()];
  CHECK(FamiliesOf(header)[entry.family].kind == kind);
  return entry;
}

// Calls visit(row) for each row ever used; untouched ones are not read, since even reading makes
// the kernel give a page.
template <typename Visit>
void ForEachRow(const StatsSegmentHeader& header, bool owned_only, const Visit& visit) {
  for (uint32_t bank = 0; bank < kStatsBanks; ++bank) {
    if (owned_only && header.banks[bank].owned.load(std::memory_order_acquire) == 0) continue;
    const uint32_t rows = header.banks[bank].rows_used.load(std::memory_order_acquire);
    for (uint32_t i = 0; i < rows; ++i) visit(RowOf(header, bank, i));
  }
}

}  // namespace

StatsReader::StatsReader(const StatsSegment& segment) : header_(&segment.header()) {}

uint32_t StatsReader::family_count() const {
  return header_->family_count.load(std::memory_order_acquire);
}

uint32_t StatsReader::series_count() const {
  return header_->series_count.load(std::memory_order_acquire);
}

StatsReader::Family StatsReader::family(uint32_t index) const {
  CHECK(index < family_count());
  const StatsFamilyEntry& entry = FamiliesOf(*header_)[index];
  return {Text(entry.name), Text(entry.help), entry.kind, entry.unit};
}

StatsReader::Series StatsReader::series(uint32_t index) const {
  CHECK(index < series_count());
  const StatsSeriesEntry& entry = SeriesOf(*header_)[index];
  return {entry.family, Text(entry.labels)};
}

uint64_t StatsReader::counter(SeriesId id) const {
  return id.dropped() ? 0 : SumScalars(id, MetricKind::kCounter, false);
}

int64_t StatsReader::gauge(SeriesId id) const {
  return id.dropped() ? 0 : static_cast<int64_t>(SumScalars(id, MetricKind::kGauge, true));
}

void StatsReader::histogram(SeriesId id, HistogramSnapshot& out) const {
  out.Clear();
  if (id.dropped()) return;
  const uint32_t cell = EntryOf(*header_, id, MetricKind::kHistogram).cell;
  ForEachRow(*header_, false, [&](const StatsRowHeader* row) {
    out.AddRow(row, HistogramsOf(*header_, row)[cell]);
  });
}

std::optional<SeriesId> StatsReader::Find(std::string_view name, const LabelList& labels) const {
  const std::string text = CanonicalLabels(labels);
  const uint32_t count = series_count();
  for (uint32_t i = 0; i < count; ++i) {
    const Series candidate = series(i);
    if (candidate.labels == text && family(candidate.family).name == name) return SeriesId(i);
  }
  return std::nullopt;
}

uint64_t StatsReader::SumScalars(SeriesId id, MetricKind kind, bool owned_only) const {
  const uint32_t cell = EntryOf(*header_, id, kind).cell;
  uint64_t sum = 0;
  ForEachRow(*header_, owned_only, [&](const StatsRowHeader* row) {
    sum += ScalarsOf(*header_, row)[cell].load(std::memory_order_relaxed);
  });
  return sum;
}

std::string_view StatsReader::Text(const StatsText& text) const {
  return {StatsAt<char>(*header_, header_->text_offset) + text.offset, text.length};
}

}  // namespace sluice
