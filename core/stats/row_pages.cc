#include "core/stats/row_pages.h"

namespace sluice {
namespace {

// A full file system is asked again once in so many values, since each time costs a system call.
constexpr uint32_t kOctaveTries = 1024;

}  // namespace

uint32_t StatsRowPages::PageOf(StatsIndex& entry) {
  const std::lock_guard<std::mutex> lock(binding_);
  uint32_t page = entry.load(std::memory_order_relaxed);
  if (page != 0) return page;
  page = pages_.Take();
  if (page != 0) entry.store(page, std::memory_order_release);
  return page;
}

StatsCell* StatsRowPages::Scalar(uint32_t cell) {
  const uint32_t page = PageOf(row_->scalar_pages[cell / kScalarsPerPage]);
  return page == 0 ? nullptr : pages_.At<StatsCell>(page) + cell % kScalarsPerPage;
}

StatsHistogramCells* StatsRowPages::Histogram(uint32_t cell) {
  const uint32_t page = PageOf(row_->histogram_pages[cell / kHistogramsPerPage]);
  return page == 0 ? nullptr : pages_.At<StatsHistogramCells>(page) + cell % kHistogramsPerPage;
}

uint32_t StatsRowPages::TakeOctave() {
  uint32_t used = row_->octaves_used.load(std::memory_order_relaxed);
  if (row_->octave_page.load(std::memory_order_relaxed) == 0 || used == kOctavesPerPage) {
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
  const uint64_t begin = row_->octave_page.load(std::memory_order_relaxed) * kStatsPage;
  return static_cast<uint32_t>(begin / sizeof(StatsCell)) + used * kHistogramSubBuckets;
}

}  // namespace sluice
