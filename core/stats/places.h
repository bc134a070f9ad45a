// StatsPlaces: the way from one thing in a segment to the next, for who reads it and for who
// writes. Nothing in shared memory is believed: each position is looked at once, and followed if it
// lies where such a thing may be; else there is none (null). What a damaged position leads to may
// be the wrong thing of the right kind of memory, but is never outside of it.
//
// A view of a few words; borrows the memory. Limits and size are as they were when they were
// checked, not as they stand in shared memory. For this room only.
#ifndef SLUICE_CORE_STATS_PLACES_H_
#define SLUICE_CORE_STATS_PLACES_H_

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "core/stats/layout.h"
#include "core/stats/text.h"

namespace sluice {

// Header: StatsSegmentHeader, or that const, for memory that is only read.
template <typename Header>
class StatsPlaces {
 public:
  template <typename T>
  using Of = std::conditional_t<std::is_const_v<Header>, const T, T>;

  // REQUIRES: a header with these limits and this size has passed CheckStatsHeader.
  StatsPlaces(Header& header, const StatsLimits& limits, uint64_t size)
      : header_(&header), limits_(limits), regions_(RegionsOf(limits)), size_(size) {}

  Header& header() const { return *header_; }
  const StatsLimits& limits() const { return limits_; }
  const StatsRegions& regions() const { return regions_; }
  uint64_t size() const { return size_; }

  // Published by now.
  uint32_t family_count() const {
    return std::min(Load(header_->family_count), limits_.max_families);
  }
  uint32_t series_count() const {
    return std::min(Load(header_->series_count), limits_.max_series);
  }

  // A published one, of a kind and unit that there are.
  Of<StatsFamilyEntry>* Family(uint32_t index) const {
    if (index >= family_count()) return nullptr;
    auto* const entry = At<StatsFamilyEntry>(regions_.families) + index;
    return entry->kind < kStatsKinds && entry->unit < kStatsUnits ? entry : nullptr;
  }
  Of<StatsSeriesEntry>* Series(uint32_t index) const {
    return index < series_count() ? At<StatsSeriesEntry>(regions_.series) + index : nullptr;
  }
  // The cells of `length` bytes of text; a position in cells.
  Of<StatsCell>* Text(uint64_t offset, uint64_t length) const {
    const bool inside = offset + StatsTextCells(length) <= limits_.text_size / sizeof(StatsCell);
    return inside ? At<StatsCell>(regions_.text) + offset : nullptr;
  }
  // The words of one name.
  Of<StatsCell>* Words(uint32_t index) const {
    return index < limits_.max_words ? At<StatsWord>(regions_.words)[index].cells : nullptr;
  }

  // A page that was taken, by its number.
  template <typename T>
  Of<T>* Page(uint64_t page) const {
    const uint64_t begin = page * kStatsPage;
    const bool taken =
        begin >= regions_.pages && begin + kStatsPage <= size_ && page < Load(header_->pages_used);
    return taken ? At<T>(begin) : nullptr;
  }

  // A row's cell of a scalar or histogram, if the row has one.
  Of<StatsCell>* Scalar(Of<StatsRowHeader>& row, uint32_t cell) const {
    if (cell >= kStatsMaxScalars) return nullptr;
    auto* const cells = Page<StatsCell>(Load(row.scalar_pages[cell / kScalarsPerPage]));
    return cells == nullptr ? nullptr : cells + cell % kScalarsPerPage;
  }
  Of<StatsHistogramCells>* Histogram(Of<StatsRowHeader>& row, uint32_t cell) const {
    if (cell >= limits_.max_histograms) return nullptr;
    auto* const heads =
        Page<StatsHistogramCells>(Load(row.histogram_pages[cell / kHistogramsPerPage]));
    return heads == nullptr ? nullptr : heads + cell % kHistogramsPerPage;
  }
  // Its kHistogramSubBuckets cells.
  Of<StatsCell>* Octave(Of<StatsHistogramCells>& histogram, unsigned octave) const {
    const uint32_t begin = Load(histogram.octaves[octave]);
    if (begin == 0 || begin % kHistogramSubBuckets != 0) return nullptr;
    auto* const cells = Page<StatsCell>(begin / kScalarsPerPage);
    return cells == nullptr ? nullptr : cells + begin % kScalarsPerPage;
  }

  // Calls visit(row) for each row ever used of these banks (a bit for each).
  template <typename Visit>
  void ForEachRow(uint32_t banks, const Visit& visit) const {
    for (uint32_t i = 0; i < kStatsBanks; ++i) {
      if ((banks >> i & 1) == 0) continue;
      const StatsBank& bank = header_->banks[i];
      const uint32_t rows = std::min(Load(bank.rows_used), kStatsMaxRows);
      for (uint32_t r = 0; r < rows; ++r) {
        auto* const row = Page<StatsRowHeader>(Load(bank.rows[r]));
        if (row != nullptr) visit(*row);
      }
    }
  }

 private:
  static uint32_t Load(const StatsIndex& index) { return index.load(std::memory_order_acquire); }

  template <typename T>
  Of<T>* At(uint64_t offset) const {
    return StatsAt<T>(*header_, offset);
  }

  Header* header_;
  StatsLimits limits_;
  StatsRegions regions_;
  uint64_t size_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_PLACES_H_
