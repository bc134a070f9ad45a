// Histogram: a worker's handle on its own cells of a distribution.
//
// Log-linear buckets: 32 to each power of two, so that a bucket's middle is within 1.6% of every
// value in it; values below 64 are exact. The range is [0, 2^34): 4.7 hours in microseconds; what
// is above is counted in the last bucket (the sum keeps the true value). There is no cell for the
// count: it is the sum over the buckets, so a reader never sees a total that its buckets
// contradict.
//
// Memory: a histogram costs 128 bytes a row, plus 256 bytes for each octave (power of two) that the
// row's thread has met, taken from the row's own pages at the first value and kept. A latency
// spreads over 5 to 8 octaves: under 2.5 KiB a row where a flat array would take 8. When shared
// memory is full, values of an octave that has no cells yet are not counted (StatsPages says so).
//
// Ownership and threads as for Counter.
#ifndef SLUICE_CORE_STATS_HISTOGRAM_H_
#define SLUICE_CORE_STATS_HISTOGRAM_H_

#include <bit>

#include "core/stats/cell.h"

namespace sluice {

class StatsRowPages;

inline constexpr unsigned kHistogramSubBuckets = 32;
inline constexpr unsigned kHistogramOctaves =
    30;  // octave 0 is [0, 32), octave k [2^(k+4), 2^(k+5))
inline constexpr unsigned kHistogramBuckets = kHistogramOctaves * kHistogramSubBuckets;
inline constexpr uint64_t kHistogramMax = (uint64_t{1} << 34) - 1;

// The bucket of a value, and the least value of a bucket; bucket b holds [Lower(b), Lower(b + 1)).
constexpr unsigned HistogramBucketOf(uint64_t value) {
  if (value > kHistogramMax) [[unlikely]]
    value = kHistogramMax;
  const unsigned octave = static_cast<unsigned>(std::bit_width(value | 31)) - 5;
  const unsigned shift = octave == 0 ? 0 : octave - 1;
  return octave * kHistogramSubBuckets + (static_cast<unsigned>(value >> shift) & 31);
}
constexpr uint64_t HistogramBucketLower(unsigned bucket) {
  const unsigned octave = bucket / kHistogramSubBuckets;
  const uint64_t sub = bucket % kHistogramSubBuckets;
  return octave == 0 ? sub : (sub + kHistogramSubBuckets) << (octave - 1);
}

// The fixed part of one histogram in one row; in shared memory.
struct StatsHistogramCells {
  StatsCell sum;
  // Where each octave's 32 cells are, in cells from the segment's begin; 0 until the first value.
  // Stored with release, once.
  std::atomic<uint32_t> octaves[kHistogramOctaves];
};
static_assert(sizeof(StatsHistogramCells) == 128);

class Histogram {
 public:
  Histogram() = default;
  // `last_octave`: where the last octave of the segment can begin, in cells.
  Histogram(StatsHistogramCells* cells, StatsCell* segment, uint32_t last_octave,
            StatsRowPages* row)
      : cells_(cells), segment_(segment), row_(row), last_octave_(last_octave) {}

  // Durations are recorded in microseconds; other values in the unit of their family.
  void Record(uint64_t value) {
    const unsigned bucket = HistogramBucketOf(value);
    uint32_t begin = cells_->octaves[bucket / kHistogramSubBuckets].load(std::memory_order_relaxed);
    // None yet, or one that damage put outside of the segment.
    if (begin - 1 >= last_octave_) [[unlikely]]
      return RecordInNewOctave(value);
    AddToCell(segment_[begin + bucket % kHistogramSubBuckets], 1);
    AddToCell(cells_->sum, value);
  }

 private:
  void RecordInNewOctave(uint64_t value);

  StatsHistogramCells* cells_ = nullptr;
  StatsCell* segment_ = nullptr;  // its begin
  StatsRowPages* row_ = nullptr;
  uint32_t last_octave_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_HISTOGRAM_H_
