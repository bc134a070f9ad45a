#include "core/stats/row_pages.h"

namespace sluice {
namespace {

// A full file system is asked again once in so many values, since each time costs a system call.
constexpr uint32_t kOctaveTries = 1024;

}  // namespace

bool StatsRowPages::HasPage(StatsIndex& entry) {
  const std::lock_guard<std::mutex> lock(binding_);
  if (entry.load(std::memory_order_relaxed) != 0) return true;
  const uint32_t page = pages_.Take();
  if (page != 0) entry.store(page, std::memory_order_release);
  return page != 0;
}

StatsCell* StatsRowPages::Scalar(uint32_t cell) {
  if (cell >= kStatsMaxScalars || !HasPage(row_->scalar_pages[cell / kScalarsPerPage])) {
    return nullptr;
  }
  return places().Scalar(*row_, cell);
}

StatsHistogramCells* StatsRowPages::Histogram(uint32_t cell) {
  if (cell >= kStatsMaxHistograms || !HasPage(row_->histogram_pages[cell / kHistogramsPerPage])) {
    return nullptr;
  }
  return places().Histogram(*row_, cell);
}

uint32_t StatsRowPages::TakeOctave() {
  uint32_t used = row_->octaves_used.load(std::memory_order_relaxed);
  if (row_->octave_page.load(std::memory_order_relaxed) == 0 || used >= kOctavesPerPage) {
    if (octave_failures_ != 0 && octave_failures_++ % kOctaveTries != 0) return 0;
    const uint32_t page = pages_.Take();
    if (page == 0) {
      if (octave_failures_ == 0) octave_failures_ = 1;
      return 0;
    }
    octave_failures_ = 0;
    // Killed in between, the row has the rest of its old page: full, or none.
    used = 0;
    row_->octaves_used.store(kOctavesPerPage, std::memory_order_relaxed);
    row_->octave_page.store(page, std::memory_order_release);
  }
  // Taken before it is linked: a process killed in between loses an octave, and none is ever linked
  // twice.
  row_->octaves_used.store(used + 1, std::memory_order_relaxed);
  const uint32_t page = row_->octave_page.load(std::memory_order_relaxed);
  if (places().Page<StatsCell>(page) == nullptr) return 0;
  return page * kScalarsPerPage + used * kHistogramSubBuckets;
}

}  // namespace sluice
