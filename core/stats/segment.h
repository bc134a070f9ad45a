// StatsSegment: the shared memory that every metric of the process lives in. See layout.h for what
// lies where, and for how it is ensured that no cache line is written by two workers.
//
// Owned by the Server, created before the workers start, and outlives every row and handle. The
// main thread registers series (StatsDirectory), each thread counts in its own row, anybody reads
// (StatsReader). Untouched pages cost nothing: the limits bound address space, not memory.
#ifndef SLUICE_CORE_STATS_SEGMENT_H_
#define SLUICE_CORE_STATS_SEGMENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/base/result.h"
#include "core/stats/row.h"

namespace sluice {

struct StatsLimits {
  uint32_t workers = 1;
  uint32_t max_series = 32768;     // counters, gauges and histograms together
  uint32_t max_histograms = 4096;  // of these; each takes 8 KiB of address space a row
  uint32_t max_families = 1024;
  uint32_t text_size = 8 << 20;  // bytes for all names, help texts and labels
};

class StatsSegment {
 public:
  // Errors: kInvalidArgument for limits beyond what offsets can say, kExhausted when the kernel has
  // no room.
  static Result<std::unique_ptr<StatsSegment>> Create(const StatsLimits& limits);

  ~StatsSegment();
  StatsSegment(const StatsSegment&) = delete;
  StatsSegment& operator=(const StatsSegment&) = delete;

  uint32_t workers() const;

  // The row of the main thread, and of worker 0 .. workers() - 1. A row has one writer: the caller
  // sees to it that only that thread uses the row's handles.
  StatsRow main_row();
  StatsRow worker_row(uint32_t worker);

  StatsSegmentHeader& header() { return *header_; }
  const StatsSegmentHeader& header() const { return *header_; }

 private:
  StatsSegment(StatsSegmentHeader* header, uint32_t bank);

  StatsSegmentHeader* header_;  // the mapping begins with it
  uint32_t bank_;               // ours
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_SEGMENT_H_
