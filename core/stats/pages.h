// StatsPages: takes pages from the segment, for rows that need one. A page is reserved in the file
// system before it is taken, so touching it never fails, and belongs to its row for ever.
//
// Owned by the StatsSegment. Any thread, of any process. For this room only.
#ifndef SLUICE_CORE_STATS_PAGES_H_
#define SLUICE_CORE_STATS_PAGES_H_

#include <atomic>
#include <cstdint>

#include "core/stats/cell.h"
#include "core/stats/layout.h"
#include "core/stats/memory.h"
#include "core/stats/places.h"

namespace sluice {

class StatsPages {
 public:
  StatsPages(StatsMemory& memory, const StatsLimits& limits)
      : memory_(memory), places_(memory.header(), limits, memory.size()) {}

  // A page of zeros, by its number; 0 when there is none, which is counted, and logged once.
  uint32_t Take();

  const StatsPlaces<StatsSegmentHeader>& places() const { return places_; }
  // What positions of octaves count from; and the last one that an octave can have.
  StatsCell* cells() const { return StatsAt<StatsCell>(memory_.header(), 0); }
  uint32_t last_octave() const {
    return static_cast<uint32_t>(memory_.size() / sizeof(StatsCell) - kHistogramSubBuckets);
  }

  // Of the segment's own size: more memory would not help.
  bool exhausted() const;
  uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

 private:
  uint32_t Fail(int error);

  StatsMemory& memory_;
  const StatsPlaces<StatsSegmentHeader> places_;
  std::atomic<uint64_t> failures_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_PAGES_H_
