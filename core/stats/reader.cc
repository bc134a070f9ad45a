#include "core/stats/reader.h"

#include <atomic>

#include "core/stats/labels.h"
#include "core/stats/layout.h"
#include "core/stats/places.h"
#include "core/stats/segment.h"
#include "core/stats/text.h"

namespace sluice {
namespace {

constexpr uint32_t kAllBanks = (1u << kStatsBanks) - 1;

uint32_t Load(const StatsIndex& index) { return index.load(std::memory_order_acquire); }

}  // namespace

StatsReader::StatsReader(const StatsSegment& segment)
    : StatsReader(segment.header(), segment.limits(), segment.size(), segment.LiveBanks()) {}

StatsReader::StatsReader(const StatsSegmentHeader& header, const StatsLimits& limits, uint64_t size,
                         uint32_t live_banks)
    : header_(&header), live_banks_(live_banks), limits_(limits), size_(size) {}

StatsPlaces<const StatsSegmentHeader> StatsReader::places() const {
  return StatsPlaces<const StatsSegmentHeader>(*header_, limits_, size_);
}

uint32_t StatsReader::family_count() const { return places().family_count(); }

uint32_t StatsReader::series_count() const { return places().series_count(); }

StatsReader::Family StatsReader::family(uint32_t index) const {
  const StatsFamilyEntry* const entry = places().Family(index);
  if (entry == nullptr || entry->kind == kStatsWordKind) return {};
  return {FamilyText(entry->name_offset, entry->name_length),
          FamilyText(entry->help_offset, entry->help_length), static_cast<MetricKind>(entry->kind),
          static_cast<MetricUnit>(entry->unit)};
}

bool StatsReader::Read(uint32_t index, Series& out) const {
  if (!ReadFamily(index, out)) return false;
  const StatsSeriesEntry& entry = *places().Series(index);
  const uint64_t offset = Load(entry.text_offset);
  const uint64_t length = Load(entry.text_length);
  const StatsCell* const text = places().Text(offset, length);
  if (text == nullptr) return false;
  LoadStatsText(text, length, out.labels);
  return IsStillCurrent(entry, out.id);
}

bool StatsReader::ReadFamily(uint32_t index, Series& out) const {
  const StatsSeriesEntry* const entry = places().Series(index);
  if (entry == nullptr) return false;
  out.id = SeriesId(index, Load(entry->generation));
  out.family = Load(entry->family);
  const StatsFamilyEntry* const family = places().Family(out.family);
  if (family == nullptr || family->kind == kStatsWordKind) return false;
  return live_banks_ == 0 || (Load(entry->users) & live_banks_) != 0;
}

uint64_t StatsReader::counter(SeriesId id) const { return SumScalars(id, MetricKind::kCounter); }

int64_t StatsReader::gauge(SeriesId id) const {
  return static_cast<int64_t>(SumScalars(id, MetricKind::kGauge));
}

void StatsReader::histogram(SeriesId id, HistogramSnapshot& out) const {
  out.Clear();
  const StatsSeriesEntry* const entry = EntryOf(id, MetricKind::kHistogram);
  if (entry == nullptr) return;
  const uint32_t cell = Load(entry->cell);
  const auto at = places();
  at.ForEachRow(kAllBanks, [&](const StatsRowHeader& row) {
    const StatsHistogramCells* const cells = at.Histogram(row, cell);
    if (cells == nullptr) return;
    for (unsigned octave = 0; octave < kHistogramOctaves; ++octave) {
      const StatsCell* const buckets = at.Octave(*cells, octave);
      if (buckets != nullptr) out.AddOctave(octave, buckets);
    }
    out.AddSum(cells->sum.load(std::memory_order_relaxed));
  });
  if (!IsStillCurrent(*entry, id)) out.Clear();
}

std::optional<SeriesId> StatsReader::Find(std::string_view name, const LabelList& labels) const {
  const std::string text = CanonicalLabels(labels);
  const uint32_t count = series_count();
  Series series;
  for (uint32_t i = 0; i < count; ++i) {
    if (Read(i, series) && series.labels == text && family(series.family).name == name) {
      return series.id;
    }
  }
  return std::nullopt;
}

std::string_view StatsReader::FamilyText(uint32_t offset, uint32_t length) const {
  const StatsCell* const text = places().Text(offset, length);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text), length};
}

const StatsSeriesEntry* StatsReader::EntryOf(SeriesId id, MetricKind kind) const {
  const StatsSeriesEntry* const entry = places().Series(id.index());
  if (entry == nullptr || !IsCurrent(*entry, id)) return nullptr;
  const StatsFamilyEntry* const family = places().Family(Load(entry->family));
  if (family == nullptr || family->kind != static_cast<uint8_t>(kind)) return nullptr;
  return entry;
}

bool StatsReader::IsCurrent(const StatsSeriesEntry& entry, SeriesId id) {
  return id.generation() % 2 == 0 && Load(entry.generation) == id.generation();
}

// The fence keeps the loads before it from moving behind the load of the generation. If one of them
// saw what a recycling wrote, we see here that the generation is over: the fence of
// StatsSeriesTable::Recycle, which stands between the two, is the other half.
bool StatsReader::IsStillCurrent(const StatsSeriesEntry& entry, SeriesId id) {
  std::atomic_thread_fence(std::memory_order_acquire);
  return IsCurrent(entry, id);
}

// A bit for each bank that counts.
uint32_t StatsReader::BanksOf(const StatsFamilyEntry& family) const {
  if (family.kind != static_cast<uint8_t>(MetricKind::kGauge)) return kAllBanks;
  if (family.gauge_of != static_cast<uint8_t>(GaugeOf::kLatestProcess)) return live_banks_;
  uint32_t latest = 0;
  uint32_t taken = 0;
  for (uint32_t i = 0; i < kStatsBanks; ++i) {
    if ((live_banks_ >> i & 1) == 0 || Load(header_->banks[i].taken) < taken) continue;
    taken = Load(header_->banks[i].taken);
    latest = 1u << i;
  }
  return latest;
}

uint64_t StatsReader::SumScalars(SeriesId id, MetricKind kind) const {
  const StatsSeriesEntry* const entry = EntryOf(id, kind);
  if (entry == nullptr) return 0;
  const auto at = places();
  const StatsFamilyEntry* const family = at.Family(Load(entry->family));
  if (family == nullptr) return 0;
  const uint32_t index = Load(entry->cell);
  uint64_t sum = 0;
  at.ForEachRow(BanksOf(*family), [&](const StatsRowHeader& row) {
    const StatsCell* const cell = at.Scalar(row, index);
    if (cell != nullptr) sum += cell->load(std::memory_order_relaxed);
  });
  return IsStillCurrent(*entry, id) ? sum : 0;
}

}  // namespace sluice
