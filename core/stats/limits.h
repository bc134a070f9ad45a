// StatsLimits: how much a stats segment has room for. Plain values. Only the size is for operators;
// the rest follows from it, and differs in tests alone. Limits bound addresses, not memory: a page
// costs nothing until something lies in it.
#ifndef SLUICE_CORE_STATS_LIMITS_H_
#define SLUICE_CORE_STATS_LIMITS_H_

#include <cstdint>

namespace sluice {

inline constexpr uint64_t kStatsDefaultSize = uint64_t{256} << 20;
inline constexpr uint64_t kStatsMinSize = uint64_t{1} << 20;
inline constexpr uint64_t kStatsMaxSize = uint64_t{16} << 30;

struct StatsLimits {
  uint32_t max_series = 229376;     // counters, gauges, histograms and words together
  uint32_t max_histograms = 16384;  // of these
  uint32_t max_words = 16384;       // of these: words that workers and processes share
  uint32_t max_families = 2048;
  uint32_t text_size = 32 << 20;  // bytes for all names, help texts and labels

  // The defaults are those of kStatsDefaultSize. REQUIRES: kStatsMinSize <= size.
  static StatsLimits For(uint64_t size);

  friend bool operator==(const StatsLimits&, const StatsLimits&) = default;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_LIMITS_H_
