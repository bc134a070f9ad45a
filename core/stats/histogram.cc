#include "core/stats/histogram.h"

#include "core/stats/row_pages.h"

namespace sluice {

void Histogram::RecordInNewOctave(uint64_t value) {
  const unsigned octave = HistogramBucketOf(value) / kHistogramSubBuckets;
  if (cells_->octaves[octave].load(std::memory_order_relaxed) != 0) return;  // damaged
  const uint32_t begin = row_->TakeOctave();
  if (begin == 0 || begin > last_octave_) return;
  cells_->octaves[octave].store(begin, std::memory_order_release);
  Record(value);
}

}  // namespace sluice
