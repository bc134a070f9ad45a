// StatsSeriesTable: the entries of the directory, as one process sees them: an index over the
// shared tables, and the only code that writes to them.
//
// Owned by the StatsDirectory; main thread only. For this room only.
//
// Another process may add entries, and recycle those that no live process uses, while we hold no
// lock. So entries that our bank uses are read at any time, others under the directory's lock,
// after catching up with what was added. None of them is believed (StatsPlaces): in a segment that
// is damaged series are dropped, or count for others, and nothing outside of it is touched.
#ifndef SLUICE_CORE_STATS_SERIES_TABLE_H_
#define SLUICE_CORE_STATS_SERIES_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/stats/layout.h"
#include "core/stats/metric.h"
#include "core/stats/places.h"
#include "core/stats/series_index.h"

namespace sluice {

class StatsSegment;

class StatsSeriesTable {
 public:
  explicit StatsSeriesTable(StatsSegment& segment);

  // The series, if our bank uses it already; else the dropped one.
  SeriesId FindInUse(uint8_t kind, const Metric& metric, std::string_view labels) const;

  // The series, used by our bank from here on; the dropped one if it is not there.
  // REQUIRES: the directory's lock.
  SeriesId Find(uint8_t kind, const Metric& metric, std::string_view labels);
  // The same; the dropped one if there is no room.
  SeriesId FindOrAdd(uint8_t kind, const Metric& metric, std::string_view labels);

  // Of a shared word's id, just got; null if it is none.
  StatsCell* WordsOf(SeriesId id) const;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  // How much of a region is reserved, as far as this process knows.
  struct Region {
    uint64_t begin;
    uint64_t end;
    uint64_t reserved;
  };

  using Places = StatsPlaces<StatsSegmentHeader>;

  const Places& places() const;
  void CatchUp();
  uint32_t FindFamily(uint8_t kind, const Metric& metric) const;
  uint32_t AddFamily(uint8_t kind, const Metric& metric);
  uint32_t FindSeries(uint32_t family, std::string_view labels) const;
  SeriesId AddSeries(uint8_t kind, uint32_t family, SeriesRank rank, std::string_view labels);
  SeriesId Recycle(uint8_t kind, uint32_t family, SeriesRank rank, std::string_view labels);
  bool IsFree(const StatsSeriesEntry& entry, uint8_t kind, uint32_t live);
  // Is it of that family and these labels?
  bool IsOf(const StatsSeriesEntry& entry, uint32_t family, std::string_view labels) const;
  // Room for so many cells in the text that the entry has already; null: too little.
  StatsCell* OwnText(const StatsSeriesEntry& entry, uint64_t cells) const;
  void ZeroCells(uint8_t kind, uint32_t cell);
  SeriesId Use(uint32_t index);

  bool HasCell(uint8_t kind, SeriesRank rank);
  uint32_t TakeCell(uint8_t kind);
  StatsIndex& CellsUsed(uint8_t kind);
  bool HasText(uint64_t cells, SeriesRank rank);
  uint32_t AddText(std::string_view text);
  bool Reserve(Region& region, uint64_t bytes);
  std::optional<std::string> LabelsOf(const StatsSeriesEntry& entry) const;

  StatsSegment& segment_;
  StatsSegmentHeader& header_;
  Region families_region_;
  Region series_region_;
  Region text_region_;
  Region words_region_;

  // What was read so far. Names are borrowed from the segment; series are keyed by a hash of family
  // and labels.
  uint32_t families_seen_ = 0;
  uint32_t series_seen_ = 0;
  uint32_t recycled_seen_ = 0;
  std::unordered_multimap<std::string_view, uint32_t> family_index_;
  StatsSeriesIndex series_index_;

  uint32_t next_to_recycle_ = 0;
  // Nothing of a kind was free: not looked for again while the same processes live. 0 is nobody.
  uint64_t exhausted_for_[kStatsKinds] = {};  // by kind
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_SERIES_TABLE_H_
