#include "core/stats/reader.h"

#include <algorithm>

#include "core/stats/labels.h"
#include "core/stats/layout.h"
#include "core/stats/segment.h"
#include "core/stats/text.h"

namespace sluice {
namespace {

constexpr uint32_t kAllBanks = (1u << kStatsBanks) - 1;

uint32_t Load(const StatsIndex& index) { return index.load(std::memory_order_acquire); }

}  // namespace

StatsReader::StatsReader(const StatsSegment& segment)
    : StatsReader(segment.header(), segment.header().limits, segment.header().size,
                  segment.LiveBanks()) {}

StatsReader::StatsReader(const StatsSegmentHeader& header, const StatsLimits& limits, uint64_t size,
                         uint32_t live_banks)
    : header_(&header), live_banks_(live_banks), limits_(limits), size_(size) {}

uint32_t StatsReader::family_count() const {
  return std::min(Load(header_->family_count), limits_.max_families);
}

uint32_t StatsReader::series_count() const {
  return std::min(Load(header_->series_count), limits_.max_series);
}

StatsReader::Family StatsReader::family(uint32_t index) const {
  const StatsFamilyEntry* const entry = FamilyAt(index);
  if (entry == nullptr || entry->kind == kStatsWordKind) return {};
  return {FamilyText(entry->name_offset, entry->name_length),
          FamilyText(entry->help_offset, entry->help_length), static_cast<MetricKind>(entry->kind),
          static_cast<MetricUnit>(entry->unit)};
}

bool StatsReader::Read(uint32_t index, Series& out) const {
  if (!ReadFamily(index, out)) return false;
  const StatsSeriesEntry& entry = SeriesAt(index);
  const uint64_t offset = Load(entry.text_offset);
  const uint64_t length = Load(entry.text_length);
  if (offset + StatsTextCells(length) > limits_.text_size / sizeof(StatsCell)) return false;
  const auto* const text = StatsAt<StatsCell>(*header_, RegionsOf(limits_).text);
  LoadStatsText(text + offset, length, out.labels);
  return IsCurrent(entry, out.id);
}

bool StatsReader::ReadFamily(uint32_t index, Series& out) const {
  if (index >= series_count()) return false;
  const StatsSeriesEntry& entry = SeriesAt(index);
  out.id = SeriesId(index, Load(entry.generation));
  out.family = Load(entry.family);
  const StatsFamilyEntry* const family = FamilyAt(out.family);
  if (family == nullptr || family->kind == kStatsWordKind) return false;
  return live_banks_ == 0 || (Load(entry.users) & live_banks_) != 0;
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
  if (cell >= limits_.max_histograms) return;
  ForEachRow(kAllBanks, [&](const StatsRowHeader& row) { AddRow(row, cell, out); });
  if (!IsCurrent(*entry, id)) out.Clear();
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

const StatsFamilyEntry* StatsReader::FamilyAt(uint32_t index) const {
  if (index >= family_count()) return nullptr;
  const auto* entry = StatsAt<StatsFamilyEntry>(*header_, RegionsOf(limits_).families) + index;
  return entry->kind < kStatsKinds && entry->unit < kStatsUnits ? entry : nullptr;
}

const StatsSeriesEntry& StatsReader::SeriesAt(uint32_t index) const {
  return StatsAt<StatsSeriesEntry>(*header_, RegionsOf(limits_).series)[index];
}

std::string_view StatsReader::FamilyText(uint32_t offset, uint32_t length) const {
  if (offset + StatsTextCells(length) > limits_.text_size / sizeof(StatsCell)) return {};
  return {StatsAt<char>(*header_, RegionsOf(limits_).text + offset * sizeof(StatsCell)), length};
}

const StatsSeriesEntry* StatsReader::EntryOf(SeriesId id, MetricKind kind) const {
  if (id.index() >= series_count()) return nullptr;
  const StatsSeriesEntry& entry = SeriesAt(id.index());
  if (!IsCurrent(entry, id)) return nullptr;
  const StatsFamilyEntry* const family = FamilyAt(Load(entry.family));
  if (family == nullptr || family->kind != static_cast<uint8_t>(kind)) return nullptr;
  return &entry;
}

bool StatsReader::IsCurrent(const StatsSeriesEntry& entry, SeriesId id) {
  return id.generation() % 2 == 0 && Load(entry.generation) == id.generation();
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
  const StatsFamilyEntry* const family = FamilyAt(Load(entry->family));
  if (family == nullptr) return 0;
  const uint32_t cell = Load(entry->cell);
  if (cell >= kStatsMaxScalars) return 0;
  uint64_t sum = 0;
  ForEachRow(BanksOf(*family), [&](const StatsRowHeader& row) {
    const auto* cells = PageAt<StatsCell>(Load(row.scalar_pages[cell / kScalarsPerPage]));
    // Acquire: the generation is looked at again afterwards.
    if (cells != nullptr) sum += cells[cell % kScalarsPerPage].load(std::memory_order_acquire);
  });
  return IsCurrent(*entry, id) ? sum : 0;
}

void StatsReader::AddRow(const StatsRowHeader& row, uint32_t cell, HistogramSnapshot& out) const {
  const auto* heads =
      PageAt<StatsHistogramCells>(Load(row.histogram_pages[cell / kHistogramsPerPage]));
  if (heads == nullptr) return;
  const StatsHistogramCells& head = heads[cell % kHistogramsPerPage];
  for (unsigned octave = 0; octave < kHistogramOctaves; ++octave) {
    const uint32_t begin = Load(head.octaves[octave]);
    if (begin == 0 || begin % kHistogramSubBuckets != 0) continue;
    const auto* cells = PageAt<StatsCell>(begin / kScalarsPerPage);
    if (cells != nullptr) out.AddOctave(octave, cells + begin % kScalarsPerPage);
  }
  out.AddSum(head.sum.load(std::memory_order_acquire));
}

template <typename T>
const T* StatsReader::PageAt(uint64_t page) const {
  const uint64_t begin = page * kStatsPage;
  if (begin < RegionsOf(limits_).pages || begin + kStatsPage > size_ ||
      page >= Load(header_->pages_used)) {
    return nullptr;
  }
  return StatsAt<T>(*header_, begin);
}

// Calls visit(row) for each row ever used.
template <typename Visit>
void StatsReader::ForEachRow(uint32_t banks, const Visit& visit) const {
  for (uint32_t i = 0; i < kStatsBanks; ++i) {
    if ((banks >> i & 1) == 0) continue;
    const StatsBank& bank = header_->banks[i];
    const uint32_t rows = std::min(Load(bank.rows_used), kStatsMaxRows);
    for (uint32_t r = 0; r < rows; ++r) {
      const auto* row = PageAt<StatsRowHeader>(Load(bank.rows[r]));
      if (row != nullptr) visit(*row);
    }
  }
}

}  // namespace sluice
