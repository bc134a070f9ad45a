#include "core/stats/series_table.h"

#include <algorithm>
#include <functional>

#include "core/stats/segment.h"
#include "core/stats/text.h"

namespace sluice {
namespace {

constexpr uint64_t kReserveAtOnce = 16 * kStatsPage;

uint64_t HashOf(uint32_t family, std::string_view labels) {
  return std::hash<std::string_view>()(labels) ^ (family * uint64_t{0x9E3779B97F4A7C15});
}

uint32_t Load(const StatsIndex& index) { return index.load(std::memory_order_acquire); }

}  // namespace

StatsSeriesTable::StatsSeriesTable(StatsSegment& segment)
    : segment_(segment),
      header_(segment.header()),
      families_(StatsAt<StatsFamilyEntry>(header_, RegionsOf(header_.limits).families)),
      series_(StatsAt<StatsSeriesEntry>(header_, RegionsOf(header_.limits).series)),
      text_(StatsAt<StatsCell>(header_, RegionsOf(header_.limits).text)),
      words_(StatsAt<StatsWord>(header_, RegionsOf(header_.limits).words)) {
  const StatsRegions at = RegionsOf(header_.limits);
  families_region_ = {at.families, at.series, at.families};
  series_region_ = {at.series, at.text, at.series};
  text_region_ = {at.text, at.words, at.text};
  words_region_ = {at.words, at.pages, at.words};
}

SeriesId StatsSeriesTable::FindInUse(uint8_t kind, const Metric& metric,
                                     std::string_view labels) const {
  const uint32_t family = FindFamily(kind, metric);
  if (family == kNone) return SeriesId();
  const auto [begin, end] = series_index_.equal_range(HashOf(family, labels));
  for (auto it = begin; it != end; ++it) {
    const StatsSeriesEntry& entry = series_[it->second];
    if ((Load(entry.users) >> segment_.bank() & 1) == 0) continue;
    if (Load(entry.family) != family) continue;
    if (StatsTextIs(text_ + Load(entry.text_offset), Load(entry.text_length), labels)) {
      return SeriesId(it->second, Load(entry.generation));
    }
  }
  return SeriesId();
}

SeriesId StatsSeriesTable::FindOrAdd(uint8_t kind, const Metric& metric, std::string_view labels) {
  CatchUp();
  uint32_t family = FindFamily(kind, metric);
  if (family == kNone) family = AddFamily(kind, metric);
  if (family == kNone) return SeriesId();
  const uint32_t found = FindSeries(family, labels);
  return found != kNone ? Use(found) : AddSeries(kind, family, labels);
}

StatsCell* StatsSeriesTable::WordOf(SeriesId id) const {
  return &words_[Load(series_[id.index()].cell)].value;
}

// Reads what others did since.
void StatsSeriesTable::CatchUp() {
  const uint32_t families = Load(header_.family_count);
  for (; families_seen_ < families; ++families_seen_) {
    const StatsFamilyEntry& entry = families_[families_seen_];
    family_index_.emplace(FamilyText(entry.name_offset, entry.name_length), families_seen_);
  }
  if (Load(header_.recycled) != recycled_seen_) {
    recycled_seen_ = Load(header_.recycled);
    series_index_.clear();
    series_seen_ = 0;
  }
  const uint32_t series = Load(header_.series_count);
  std::string labels;
  for (; series_seen_ < series; ++series_seen_) {
    const StatsSeriesEntry& entry = series_[series_seen_];
    if (Load(entry.generation) % 2 != 0) continue;
    LoadStatsText(text_ + Load(entry.text_offset), Load(entry.text_length), labels);
    series_index_.emplace(HashOf(Load(entry.family), labels), series_seen_);
  }
}

// Another binary may have had another kind or unit under the same name: that is another family.
uint32_t StatsSeriesTable::FindFamily(uint8_t kind, const Metric& metric) const {
  const auto [begin, end] = family_index_.equal_range(metric.name);
  for (auto it = begin; it != end; ++it) {
    const StatsFamilyEntry& entry = families_[it->second];
    if (entry.kind == kind && entry.unit == static_cast<uint8_t>(metric.unit)) return it->second;
  }
  return kNone;
}

uint32_t StatsSeriesTable::AddFamily(uint8_t kind, const Metric& metric) {
  const uint32_t index = Load(header_.family_count);
  if (index == header_.limits.max_families ||
      !HasText(StatsTextCells(metric.name.size()) + StatsTextCells(metric.help.size())) ||
      !Reserve(families_region_, (index + uint64_t{1}) * sizeof(StatsFamilyEntry))) {
    return kNone;
  }
  StatsFamilyEntry& entry = families_[index];
  entry.name_offset = AddText(metric.name);
  entry.name_length = static_cast<uint32_t>(metric.name.size());
  entry.help_offset = AddText(metric.help);
  entry.help_length = static_cast<uint32_t>(metric.help.size());
  entry.kind = kind;
  entry.unit = static_cast<uint8_t>(metric.unit);
  entry.gauge_of = static_cast<uint8_t>(metric.gauge_of);
  header_.family_count.store(index + 1, std::memory_order_release);
  CatchUp();
  return index;
}

uint32_t StatsSeriesTable::FindSeries(uint32_t family, std::string_view labels) const {
  const auto [begin, end] = series_index_.equal_range(HashOf(family, labels));
  for (auto it = begin; it != end; ++it) {
    const StatsSeriesEntry& entry = series_[it->second];
    if (Load(entry.generation) % 2 == 0 && Load(entry.family) == family &&
        StatsTextIs(text_ + Load(entry.text_offset), Load(entry.text_length), labels)) {
      return it->second;
    }
  }
  return kNone;
}

SeriesId StatsSeriesTable::AddSeries(uint8_t kind, uint32_t family, std::string_view labels) {
  const uint32_t index = Load(header_.series_count);
  const uint64_t text_cells = StatsTextCells(labels.size());
  if (index == header_.limits.max_series || !HasCell(kind) || !HasText(text_cells) ||
      !Reserve(series_region_, (index + uint64_t{1}) * sizeof(StatsSeriesEntry))) {
    return Recycle(kind, family, labels);
  }
  StatsSeriesEntry& entry = series_[index];
  entry.cell.store(CellsUsed(kind).fetch_add(1), std::memory_order_relaxed);
  entry.family.store(family, std::memory_order_relaxed);
  entry.text_offset.store(AddText(labels), std::memory_order_relaxed);
  entry.text_length.store(static_cast<uint32_t>(labels.size()), std::memory_order_relaxed);
  entry.text_capacity.store(static_cast<uint32_t>(text_cells), std::memory_order_relaxed);
  entry.users.store(1u << segment_.bank(), std::memory_order_relaxed);
  // A killed process may have left its half of an entry here: odd is not a generation.
  entry.generation.store(Load(entry.generation) + 2 - Load(entry.generation) % 2,
                         std::memory_order_release);
  header_.series_count.store(index + 1, std::memory_order_release);
  CatchUp();
  return SeriesId(index, Load(entry.generation));
}

SeriesId StatsSeriesTable::Recycle(uint8_t kind, uint32_t family, std::string_view labels) {
  const uint32_t live = segment_.LiveBanks();
  const uint64_t who = uint64_t{Load(header_.takings)} << kStatsBanks | live;
  if (exhausted_for_[kind] == who) return SeriesId();
  const uint32_t count = Load(header_.series_count);
  const uint64_t text_cells = StatsTextCells(labels.size());
  bool exhausted = true;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t index = next_to_recycle_++ % count;
    StatsSeriesEntry& entry = series_[index];
    if (!IsFree(entry, kind, live)) continue;
    exhausted = false;
    if (Load(entry.text_capacity) < text_cells && !HasText(text_cells)) continue;
    // Others index anew, and so do we; who reads the entry sees that its generation is over.
    header_.recycled.fetch_add(1, std::memory_order_acq_rel);
    const uint32_t generation = Load(entry.generation) | 1;
    entry.generation.exchange(generation, std::memory_order_acq_rel);
    ZeroCells(kind, Load(entry.cell));
    entry.family.store(family, std::memory_order_relaxed);
    if (Load(entry.text_capacity) < text_cells) {
      // None for a moment: place and size must not be of two texts if we are killed here.
      entry.text_capacity.store(0, std::memory_order_release);
      entry.text_offset.store(AddText(labels), std::memory_order_release);
      entry.text_capacity.store(static_cast<uint32_t>(text_cells), std::memory_order_release);
    } else {
      StoreStatsText(text_ + Load(entry.text_offset), labels);
    }
    entry.text_length.store(static_cast<uint32_t>(labels.size()), std::memory_order_relaxed);
    entry.users.store(1u << segment_.bank(), std::memory_order_relaxed);
    entry.generation.store(generation + 1, std::memory_order_release);
    // The index has the entry's former name too: harmless, since a found entry is compared.
    ++recycled_seen_;
    series_index_.emplace(HashOf(family, labels), index);
    return SeriesId(index, generation + 1);
  }
  if (exhausted) exhausted_for_[kind] = who;
  return SeriesId();
}

// May it be recycled for a series of that kind?
bool StatsSeriesTable::IsFree(const StatsSeriesEntry& entry, uint8_t kind, uint32_t live) {
  // A counter's cell may become a gauge's.
  return (Load(entry.users) & live) == 0 &&
         &CellsUsed(families_[Load(entry.family)].kind) == &CellsUsed(kind);
}

// In every row: whoever used it is dead, or has said that it does not.
void StatsSeriesTable::ZeroCells(uint8_t kind, uint32_t cell) {
  if (kind == kStatsWordKind) {
    words_[cell].value.store(0, std::memory_order_relaxed);
    return;
  }
  const bool histogram = kind == static_cast<uint8_t>(MetricKind::kHistogram);
  for (const StatsBank& bank : header_.banks) {
    for (uint32_t i = 0; i < Load(bank.rows_used); ++i) {
      const uint64_t row_page = Load(bank.rows[i]);
      if (row_page == 0) continue;
      auto& row = *StatsAt<StatsRowHeader>(header_, row_page * kStatsPage);
      const uint64_t page = Load(histogram ? row.histogram_pages[cell / kHistogramsPerPage]
                                           : row.scalar_pages[cell / kScalarsPerPage]);
      if (page == 0) continue;
      if (!histogram) {
        StatsAt<StatsCell>(header_, page * kStatsPage)[cell % kScalarsPerPage].store(
            0, std::memory_order_relaxed);
        continue;
      }
      auto& head =
          StatsAt<StatsHistogramCells>(header_, page * kStatsPage)[cell % kHistogramsPerPage];
      head.sum.store(0, std::memory_order_relaxed);
      for (const StatsIndex& octave : head.octaves) {
        const uint32_t begin = Load(octave);
        if (begin == 0) continue;
        StatsCell* const cells = StatsAt<StatsCell>(header_, 0) + begin;
        std::for_each_n(cells, kHistogramSubBuckets,
                        [](StatsCell& one) { one.store(0, std::memory_order_relaxed); });
      }
    }
  }
}

SeriesId StatsSeriesTable::Use(uint32_t index) {
  series_[index].users.fetch_or(1u << segment_.bank(), std::memory_order_acq_rel);
  return SeriesId(index, Load(series_[index].generation));
}

StatsIndex& StatsSeriesTable::CellsUsed(uint8_t kind) {
  if (kind == kStatsWordKind) return header_.words_used;
  return kind == static_cast<uint8_t>(MetricKind::kHistogram) ? header_.histograms_used
                                                              : header_.scalars_used;
}

bool StatsSeriesTable::HasCell(uint8_t kind) {
  const uint32_t used = Load(CellsUsed(kind));
  if (kind == kStatsWordKind) {
    return used < header_.limits.max_words &&
           Reserve(words_region_, (used + uint64_t{1}) * sizeof(StatsWord));
  }
  return used < (kind == static_cast<uint8_t>(MetricKind::kHistogram)
                     ? header_.limits.max_histograms
                     : kStatsMaxScalars);
}

bool StatsSeriesTable::HasText(uint64_t cells) {
  const uint64_t end = Load(header_.text_used) + cells;
  return end <= header_.limits.text_size / sizeof(StatsCell) &&
         Reserve(text_region_, end * sizeof(StatsCell));
}

// REQUIRES: HasText. Taken before it is used: if we are killed, it is lost, and never used twice.
uint32_t StatsSeriesTable::AddText(std::string_view text) {
  const uint32_t offset = Load(header_.text_used);
  header_.text_used.store(offset + static_cast<uint32_t>(StatsTextCells(text.size())),
                          std::memory_order_release);
  StoreStatsText(text_ + offset, text);
  return offset;
}

// Makes sure that the first `bytes` of the region may be touched.
bool StatsSeriesTable::Reserve(Region& region, uint64_t bytes) {
  const uint64_t end = RoundUpToPage(region.begin + bytes);
  if (end <= region.reserved) return true;
  const uint64_t more = std::min(region.end, end + kReserveAtOnce);
  for (const uint64_t wanted : {more, end}) {  // if there is no room for all of it
    if (segment_.memory().Reserve(region.reserved, wanted - region.reserved) != 0) continue;
    region.reserved = wanted;
    return true;
  }
  return false;
}

std::string_view StatsSeriesTable::FamilyText(uint32_t offset, uint32_t length) const {
  // Cells of text are bytes in the order of the text.
  return {reinterpret_cast<const char*>(text_ + offset), length};
}

}  // namespace sluice
