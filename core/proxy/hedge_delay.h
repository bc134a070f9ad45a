// HedgeDelay: how long a route's requests wait for a response before a second try begins: a fixed
// time, or as long as a share of the responses took lately. One per worker and route that hedges;
// of the worker's thread.
//
// The share is taken over the last 10 to 20 seconds, from counts in buckets of an eighth of their
// octave: at most 12% too long, never too short.
#ifndef SLUICE_CORE_PROXY_HEDGE_DELAY_H_
#define SLUICE_CORE_PROXY_HEDGE_DELAY_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"

namespace sluice {

class HedgeDelay {
 public:
  // Responses it takes before a share of them says anything.
  static constexpr uint64_t kFewest = 50;

  // `after`: 0 for `percentile` (of 100) of what took how long.
  HedgeDelay(Nanos after, double percentile) : after_(after), share_(percentile / 100) {}

  // A response came so long after its request's first try began. `now`: of the monotonic clock.
  void Add(Nanos latency, Nanos now);
  // 0: not known yet.
  Nanos Get(Nanos now);

 private:
  // From 64 us, in octaves of 8, to 2^20 times that: over a minute.
  static constexpr size_t kOctaves = 20;
  static constexpr size_t kParts = 8;
  static constexpr Nanos kWindow = 10 * kSecond;
  static constexpr Nanos kStale = 100 * kMillisecond;

  struct Counts {
    std::array<uint32_t, kOctaves * kParts> buckets{};
    uint64_t total = 0;
  };

  static size_t BucketOf(Nanos latency);
  static Nanos EndOf(size_t bucket);
  void Turn(Nanos now);
  Nanos Compute() const;

  const Nanos after_;
  const double share_;
  Counts now_;
  Counts before_;
  Nanos window_end_ = 0;
  Nanos computed_ = 0;
  Nanos computed_at_ = 0;
  bool known_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_HEDGE_DELAY_H_
