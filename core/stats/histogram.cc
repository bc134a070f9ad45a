#include "core/stats/histogram.h"

#include "core/base/check.h"
#include "core/stats/layout.h"

namespace sluice {

void Histogram::RecordInNewOctave(uint64_t value) {
  const unsigned octave = HistogramBucketOf(value) / kHistogramSubBuckets;
  const uint64_t used = row_->octaves_used.load(std::memory_order_relaxed);
  const uint64_t begin = row_->octaves_begin + used;
  // The pool has room for every octave of every histogram (StatsSegment::Create).
  CHECK(begin + kHistogramSubBuckets <= row_->octaves_end);
  // Taken before it is linked: a process killed in between loses an octave, and none is ever linked
  // twice.
  row_->octaves_used.store(used + kHistogramSubBuckets, std::memory_order_relaxed);
  cells_->octaves[octave].store(static_cast<uint32_t>(begin), std::memory_order_release);
  Record(value);
}

}  // namespace sluice
