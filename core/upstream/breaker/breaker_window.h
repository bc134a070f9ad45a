// BreakerWindow: how many of the last calls failed and how many were slow, in words that workers
// and processes share. Approximate in two ways: it is counted in tenths of the time or of the calls
// (rounded up, if there are fewer than ten of those), of which the oldest is forgotten as a whole;
// and a tenth with more than 65,535 calls is halved, which keeps its shares. Any thread.
#ifndef SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_WINDOW_H_
#define SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_WINDOW_H_

#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"
#include "core/stats/shared_word.h"

namespace sluice {

struct BreakerCounts {
  uint32_t calls = 0;
  uint32_t failures = 0;
  uint32_t slow = 0;
};

class BreakerWindow {
 public:
  // Of a breaker's words: the cursor of windows by calls, and the tenths.
  static constexpr size_t kCursor = 5;
  static constexpr size_t kFirst = 6;
  static constexpr uint32_t kParts = 10;
  static_assert(kFirst + kParts <= SharedWords::kCount);

  // `calls`: 0 for a window of `time`.
  BreakerWindow(SharedWords words, Nanos time, uint32_t calls);

  // Counts a call, and says what the window holds then.
  BreakerCounts Add(bool failure, bool slow, Nanos now);
  BreakerCounts Sum(Nanos now) const;
  // Nothing has been called. REQUIRES: nobody adds; who does nevertheless may be counted or not.
  void Clear();

 private:
  uint64_t IndexAt(Nanos now) const;
  BreakerCounts SumAt(uint64_t index) const;
  BreakerCounts AddToTenth(uint64_t index, bool failure, bool slow);
  SharedWord WordOf(uint64_t index) const { return words_[kFirst + index % kParts]; }

  SharedWords words_;
  Nanos part_time_;
  uint32_t part_calls_;  // 0: by time
  uint32_t parts_ = kParts;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_WINDOW_H_
