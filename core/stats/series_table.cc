#include "core/stats/series_table.h"

#include <algorithm>
#include <atomic>
#include <functional>

#include "core/stats/segment.h"
#include "core/stats/shared_word.h"
#include "core/stats/text.h"

namespace sluice {
namespace {

constexpr uint64_t kReserveAtOnce = 16 * kStatsPage;

uint64_t HashOf(uint32_t family, std::string_view labels) {
  return std::hash<std::string_view>()(labels) ^ (family * uint64_t{0x9E3779B97F4A7C15});
}

uint32_t Load(const StatsIndex& index) { return index.load(std::memory_order_acquire); }

// How much of a limit series of that rank may use up.
uint32_t Share(uint32_t limit, SeriesRank rank) {
  return rank == SeriesRank::kCore ? limit : limit - limit / 8;
}

}  // namespace

StatsSeriesTable::StatsSeriesTable(StatsSegment& segment)
    : segment_(segment), header_(segment.header()) {
  const StatsRegions& at = places().regions();
  families_region_ = {at.families, at.series, at.families};
  series_region_ = {at.series, at.text, at.series};
  text_region_ = {at.text, at.words, at.text};
  words_region_ = {at.words, at.pages, at.words};
}

const StatsSeriesTable::Places& StatsSeriesTable::places() const { return segment_.places(); }

SeriesId StatsSeriesTable::FindInUse(uint8_t kind, const Metric& metric,
                                     std::string_view labels) const {
  const uint32_t family = FindFamily(kind, metric);
  if (family == kNone) return SeriesId();
  SeriesId found;
  series_index_.Find(HashOf(family, labels), [&](uint32_t candidate) {
    const StatsSeriesEntry* const entry = places().Series(candidate);
    if (entry == nullptr || (Load(entry->users) >> segment_.bank() & 1) == 0 ||
        !IsOf(*entry, family, labels)) {
      return false;
    }
    found = SeriesId(candidate, Load(entry->generation));
    return true;
  });
  return found;
}

SeriesId StatsSeriesTable::Find(uint8_t kind, const Metric& metric, std::string_view labels) {
  CatchUp();
  const uint32_t family = FindFamily(kind, metric);
  const uint32_t found = family == kNone ? kNone : FindSeries(family, labels);
  return found == kNone ? SeriesId() : Use(found);
}

SeriesId StatsSeriesTable::FindOrAdd(uint8_t kind, const Metric& metric, std::string_view labels) {
  CatchUp();
  uint32_t family = FindFamily(kind, metric);
  if (family == kNone) family = AddFamily(kind, metric);
  if (family == kNone) return SeriesId();
  const uint32_t found = FindSeries(family, labels);
  return found != kNone ? Use(found) : AddSeries(kind, family, metric.rank, labels);
}

StatsCell* StatsSeriesTable::WordsOf(SeriesId id) const {
  const StatsSeriesEntry* const entry = places().Series(id.index());
  return entry == nullptr ? nullptr : places().Words(Load(entry->cell));
}

// Reads what others did since.
void StatsSeriesTable::CatchUp() {
  const uint32_t families = places().family_count();
  for (; families_seen_ < families; ++families_seen_) {
    const StatsFamilyEntry* const entry = places().Family(families_seen_);
    if (entry == nullptr) continue;
    const uint32_t length = entry->name_length;
    const StatsCell* const name = places().Text(entry->name_offset, length);
    if (name == nullptr) continue;
    // Cells of text are bytes in the order of the text.
    family_index_.emplace(std::string_view(reinterpret_cast<const char*>(name), length),
                          families_seen_);
  }
  if (Load(header_.recycled) != recycled_seen_) {
    recycled_seen_ = Load(header_.recycled);
    series_index_.Clear();
    series_seen_ = 0;
  }
  const uint32_t series = places().series_count();
  for (; series_seen_ < series; ++series_seen_) {
    const StatsSeriesEntry* const entry = places().Series(series_seen_);
    if (entry == nullptr) return;
    if (Load(entry->generation) % 2 != 0) continue;
    const std::optional<std::string> labels = LabelsOf(*entry);
    if (labels) series_index_.Add(HashOf(Load(entry->family), *labels), series_seen_);
  }
}

std::optional<std::string> StatsSeriesTable::LabelsOf(const StatsSeriesEntry& entry) const {
  const uint32_t length = Load(entry.text_length);
  const StatsCell* const text = places().Text(Load(entry.text_offset), length);
  if (text == nullptr) return std::nullopt;
  std::string labels;
  LoadStatsText(text, length, labels);
  return labels;
}

bool StatsSeriesTable::IsOf(const StatsSeriesEntry& entry, uint32_t family,
                            std::string_view labels) const {
  if (Load(entry.family) != family || Load(entry.text_length) != labels.size()) return false;
  const StatsCell* const text = places().Text(Load(entry.text_offset), labels.size());
  return text != nullptr && StatsTextIs(text, labels.size(), labels);
}

// Another binary may have had another kind or unit under the same name: that is another family.
uint32_t StatsSeriesTable::FindFamily(uint8_t kind, const Metric& metric) const {
  const auto [begin, end] = family_index_.equal_range(metric.name);
  for (auto it = begin; it != end; ++it) {
    const StatsFamilyEntry* const entry = places().Family(it->second);
    if (entry != nullptr && entry->kind == kind &&
        entry->unit == static_cast<uint8_t>(metric.unit)) {
      return it->second;
    }
  }
  return kNone;
}

uint32_t StatsSeriesTable::AddFamily(uint8_t kind, const Metric& metric) {
  const uint32_t index = places().family_count();
  if (index == places().limits().max_families ||
      !HasText(StatsTextCells(metric.name.size()) + StatsTextCells(metric.help.size()),
               SeriesRank::kCore) ||
      !Reserve(families_region_, (index + uint64_t{1}) * sizeof(StatsFamilyEntry))) {
    return kNone;
  }
  StatsFamilyEntry& entry = StatsAt<StatsFamilyEntry>(header_, places().regions().families)[index];
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
  return series_index_.Find(HashOf(family, labels), [&](uint32_t candidate) {
    const StatsSeriesEntry* const entry = places().Series(candidate);
    return entry != nullptr && Load(entry->generation) % 2 == 0 && IsOf(*entry, family, labels);
  });
}

SeriesId StatsSeriesTable::AddSeries(uint8_t kind, uint32_t family, SeriesRank rank,
                                     std::string_view labels) {
  const uint32_t index = places().series_count();
  const uint64_t text_cells = StatsTextCells(labels.size());
  if (index >= Share(places().limits().max_series, rank) || !HasCell(kind, rank) ||
      !HasText(text_cells, rank) ||
      !Reserve(series_region_, (index + uint64_t{1}) * sizeof(StatsSeriesEntry))) {
    return Recycle(kind, family, rank, labels);
  }
  StatsSeriesEntry& entry = StatsAt<StatsSeriesEntry>(header_, places().regions().series)[index];
  entry.cell.store(TakeCell(kind), std::memory_order_relaxed);
  entry.family.store(family, std::memory_order_relaxed);
  entry.text_offset.store(AddText(labels), std::memory_order_relaxed);
  entry.text_length.store(static_cast<uint32_t>(labels.size()), std::memory_order_relaxed);
  entry.text_capacity.store(static_cast<uint32_t>(text_cells), std::memory_order_relaxed);
  entry.users.store(1u << segment_.bank(), std::memory_order_relaxed);
  // A killed process may have left its half of an entry here: odd is not a generation.
  const uint32_t before = Load(entry.generation);
  const uint32_t generation = before + 2 - before % 2;
  entry.generation.store(generation, std::memory_order_release);
  header_.series_count.store(index + 1, std::memory_order_release);
  CatchUp();
  return SeriesId(index, generation);
}

SeriesId StatsSeriesTable::Recycle(uint8_t kind, uint32_t family, SeriesRank rank,
                                   std::string_view labels) {
  const uint32_t live = segment_.LiveBanks();
  const uint64_t who = uint64_t{Load(header_.takings)} << kStatsBanks | live;
  if (exhausted_for_[kind] == who) return SeriesId();
  const uint32_t count = places().series_count();
  const uint64_t text_cells = StatsTextCells(labels.size());
  bool exhausted = true;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t index = next_to_recycle_++ % count;
    StatsSeriesEntry* const found = places().Series(index);
    if (found == nullptr || !IsFree(*found, kind, live)) continue;
    StatsSeriesEntry& entry = *found;
    exhausted = false;
    StatsCell* const own_text = OwnText(entry, text_cells);
    if (own_text == nullptr && !HasText(text_cells, rank)) continue;
    // Others index anew, and so do we; who reads the entry sees that its generation is over.
    header_.recycled.fetch_add(1, std::memory_order_acq_rel);
    const uint32_t generation = Load(entry.generation) | 1;
    entry.generation.store(generation, std::memory_order_relaxed);
    // None of the stores that follow may be seen before the one above, which release alone does not
    // say (it orders what is before it): a reader that sees one of them, and has a fence before it
    // looks at the generation again (StatsReader), then sees that it is odd, or a later one.
    std::atomic_thread_fence(std::memory_order_release);
    ZeroCells(kind, Load(entry.cell));
    entry.family.store(family, std::memory_order_relaxed);
    if (own_text == nullptr) {
      // None for a moment: place and size must not be of two texts if we are killed here.
      entry.text_capacity.store(0, std::memory_order_release);
      entry.text_offset.store(AddText(labels), std::memory_order_release);
      entry.text_capacity.store(static_cast<uint32_t>(text_cells), std::memory_order_release);
    } else {
      StoreStatsText(own_text, labels);
    }
    entry.text_length.store(static_cast<uint32_t>(labels.size()), std::memory_order_relaxed);
    entry.users.store(1u << segment_.bank(), std::memory_order_relaxed);
    // Release: with this generation all of the above is seen.
    entry.generation.store(generation + 1, std::memory_order_release);
    // The index has the entry's former name too: harmless, since a found entry is compared.
    ++recycled_seen_;
    series_index_.Add(HashOf(family, labels), index);
    return SeriesId(index, generation + 1);
  }
  if (exhausted) exhausted_for_[kind] = who;
  return SeriesId();
}

StatsCell* StatsSeriesTable::OwnText(const StatsSeriesEntry& entry, uint64_t cells) const {
  if (Load(entry.text_capacity) < cells) return nullptr;
  return places().Text(Load(entry.text_offset), cells * sizeof(StatsCell));
}

// May it be recycled for a series of that kind?
bool StatsSeriesTable::IsFree(const StatsSeriesEntry& entry, uint8_t kind, uint32_t live) {
  if ((Load(entry.users) & live) != 0) return false;
  const StatsFamilyEntry* const family = places().Family(Load(entry.family));
  // A counter's cell may become a gauge's.
  return family != nullptr && &CellsUsed(family->kind) == &CellsUsed(kind);
}

// In every row: whoever used it is dead, or has said that it does not.
void StatsSeriesTable::ZeroCells(uint8_t kind, uint32_t cell) {
  if (kind == kStatsWordKind) {
    StatsCell* const words = places().Words(cell);
    if (words == nullptr) return;
    for (size_t i = 0; i < SharedWords::kCount; ++i) words[i].store(0, std::memory_order_relaxed);
    return;
  }
  places().ForEachRow((1u << kStatsBanks) - 1, [&](StatsRowHeader& row) {
    if (kind != static_cast<uint8_t>(MetricKind::kHistogram)) {
      StatsCell* const scalar = places().Scalar(row, cell);
      if (scalar != nullptr) scalar->store(0, std::memory_order_relaxed);
      return;
    }
    StatsHistogramCells* const histogram = places().Histogram(row, cell);
    if (histogram == nullptr) return;
    histogram->sum.store(0, std::memory_order_relaxed);
    for (unsigned octave = 0; octave < kHistogramOctaves; ++octave) {
      StatsCell* const cells = places().Octave(*histogram, octave);
      if (cells == nullptr) continue;
      std::for_each_n(cells, kHistogramSubBuckets,
                      [](StatsCell& one) { one.store(0, std::memory_order_relaxed); });
    }
  });
}

SeriesId StatsSeriesTable::Use(uint32_t index) {
  StatsSeriesEntry* const entry = places().Series(index);
  if (entry == nullptr) return SeriesId();
  entry->users.fetch_or(1u << segment_.bank(), std::memory_order_acq_rel);
  return SeriesId(index, Load(entry->generation));
}

StatsIndex& StatsSeriesTable::CellsUsed(uint8_t kind) {
  if (kind == kStatsWordKind) return header_.words_used;
  return kind == static_cast<uint8_t>(MetricKind::kHistogram) ? header_.histograms_used
                                                              : header_.scalars_used;
}

bool StatsSeriesTable::HasCell(uint8_t kind, SeriesRank rank) {
  const uint32_t used = Load(CellsUsed(kind));
  if (kind == kStatsWordKind) {
    return used < Share(places().limits().max_words, rank) &&
           Reserve(words_region_, (used + uint64_t{1}) * sizeof(StatsWord));
  }
  return used < Share(kind == static_cast<uint8_t>(MetricKind::kHistogram)
                          ? places().limits().max_histograms
                          : kStatsMaxScalars,
                      rank);
}

// REQUIRES: HasCell.
uint32_t StatsSeriesTable::TakeCell(uint8_t kind) {
  return CellsUsed(kind).fetch_add(1, std::memory_order_acq_rel);
}

bool StatsSeriesTable::HasText(uint64_t cells, SeriesRank rank) {
  const uint64_t end = Load(header_.text_used) + cells;
  const uint64_t most = places().limits().text_size / sizeof(StatsCell);
  return end <= Share(static_cast<uint32_t>(most), rank) &&
         Reserve(text_region_, end * sizeof(StatsCell));
}

// REQUIRES: HasText. Taken before it is used: if we are killed, it is lost, and never used twice.
uint32_t StatsSeriesTable::AddText(std::string_view text) {
  const uint32_t offset = Load(header_.text_used);
  const uint64_t cells = StatsTextCells(text.size());
  header_.text_used.store(offset + static_cast<uint32_t>(cells), std::memory_order_release);
  StatsCell* const place = places().Text(offset, text.size());
  if (place != nullptr) StoreStatsText(place, text);  // else damaged since HasText
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

}  // namespace sluice
