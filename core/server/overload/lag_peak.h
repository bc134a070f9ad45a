// LagPeak: how late the loops of the workers were at most since it was last asked. One of the
// atomics that workers share: each touches it ten times a second. Owned by the server; any thread.
#ifndef SLUICE_CORE_SERVER_OVERLOAD_LAG_PEAK_H_
#define SLUICE_CORE_SERVER_OVERLOAD_LAG_PEAK_H_

#include <atomic>

#include "core/base/clock.h"

namespace sluice {

class LagPeak {
 public:
  void OnLag(Nanos lag) {
    Nanos before = peak_.load(std::memory_order_relaxed);
    while (lag > before && !peak_.compare_exchange_weak(before, lag, std::memory_order_relaxed)) {
    }
  }
  // Of ten samples a second the 99th percentile is the greatest. Begins anew.
  Nanos Take() { return peak_.exchange(0, std::memory_order_relaxed); }

 private:
  std::atomic<Nanos> peak_{0};
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_OVERLOAD_LAG_PEAK_H_
