// BackOff: how long to wait before the next try of something that failed: fixed, linear or
// exponential, with a limit and jitter, so that many who failed together do not come back together.
// A value; of one thread. The kinds of jitter are those of M. Brooker, "Exponential Backoff And
// Jitter" (AWS Architecture Blog, 2015).
#ifndef SLUICE_CORE_BASE_BACK_OFF_H_
#define SLUICE_CORE_BASE_BACK_OFF_H_

#include <cstdint>

#include "core/base/clock.h"

namespace sluice {

class Random;

struct BackOffSettings {
  enum class Growth : uint8_t {
    kFixed,        // base
    kLinear,       // base, 2 * base, 3 * base
    kExponential,  // base, 2 * base, 4 * base
  };
  enum class Jitter : uint8_t {
    kNone,
    kEqual,         // between half of it and it
    kFull,          // between nothing and it
    kDecorrelated,  // between base and three times the wait before; growth is not looked at
  };

  Growth growth = Growth::kExponential;
  Jitter jitter = Jitter::kFull;
  Nanos base = 25 * kMillisecond;
  Nanos most = 250 * kMillisecond;  // no wait is longer
};

class BackOff {
 public:
  // The next wait. `settings` are the same in each call.
  Nanos Next(const BackOffSettings& settings, Random& random);

 private:
  uint32_t waits_ = 0;
  Nanos last_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_BASE_BACK_OFF_H_
