// StatsRowPages: one row of this process, and the pages that it takes when something is bound that
// lies in none yet.
//
// Owned by the StatsSegment. Handles may be made on any thread, one after the other (a mutex);
// octaves are taken by the row's thread only. Each answers null when no page can be had.
#ifndef SLUICE_CORE_STATS_ROW_PAGES_H_
#define SLUICE_CORE_STATS_ROW_PAGES_H_

#include <cstdint>
#include <mutex>

#include "core/stats/layout.h"
#include "core/stats/pages.h"

namespace sluice {

class StatsRowPages {
 public:
  StatsRowPages(StatsPages& pages, StatsRowHeader* row) : pages_(pages), row_(row) {}

  StatsRowHeader& row() { return *row_; }
  const StatsPlaces<StatsSegmentHeader>& places() const { return pages_.places(); }
  StatsCell* cells() const { return pages_.cells(); }
  uint32_t last_octave() const { return pages_.last_octave(); }

  StatsCell* Scalar(uint32_t cell);
  StatsHistogramCells* Histogram(uint32_t cell);
  // 32 cells of zeros; their position, in cells from the segment's begin. 0: none.
  uint32_t TakeOctave();

 private:
  // Sees to it that there is a page; false: there is none.
  bool HasPage(StatsIndex& entry);

  StatsPages& pages_;
  StatsRowHeader* const row_;
  std::mutex binding_;
  uint32_t octave_failures_ = 0;  // in a row
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_ROW_PAGES_H_
