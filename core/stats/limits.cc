#include "core/stats/limits.h"

#include <algorithm>

#include "core/stats/layout.h"

namespace sluice {
namespace {

constexpr StatsLimits kLargest;
static_assert(kLargest.max_series <= kStatsMaxScalars + kStatsMaxHistograms + kStatsMaxWords);
static_assert(kLargest.max_histograms <= kStatsMaxHistograms);
static_assert(kLargest.max_words <= kStatsMaxWords && kLargest.max_families <= kStatsMaxFamilies);
// A position in cells has 32 bits, a page number too.
static_assert(kStatsMaxSize / sizeof(StatsCell) <= UINT32_MAX);

}  // namespace

StatsLimits StatsLimits::For(uint64_t size) {
  const auto share = [size](uint64_t unit, uint32_t most) {
    return static_cast<uint32_t>(std::min<uint64_t>(size / unit, most));
  };
  StatsLimits limits;
  limits.max_series = share(1024, kLargest.max_series);
  limits.max_histograms = share(8192, kLargest.max_histograms);
  limits.max_words = share(8192, kLargest.max_words);
  limits.max_families = share(1024, kLargest.max_families);
  limits.text_size = share(8, kLargest.text_size);
  return limits;
}

}  // namespace sluice
