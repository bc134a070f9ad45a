// EndpointHealth: why an endpoint must not be used, as a word that all workers and the next process
// share. The main thread sets it, through Cluster::SetFault, which publishes what follows from it;
// who balances reads the endpoint set. Of active checks the word is only a memory: two processes,
// or two configurations of a cluster, may check in different ways at a time, and each goes by what
// it finds itself.
//
// An endpoint of which nothing was ever said has no word.
#ifndef SLUICE_CORE_UPSTREAM_ENDPOINT_HEALTH_H_
#define SLUICE_CORE_UPSTREAM_ENDPOINT_HEALTH_H_

#include <cstdint>

#include "core/stats/shared_word.h"

namespace sluice {

// Each is set and cleared by one part of the product; an endpoint without any is usable.
enum class EndpointFault : uint8_t {
  kFailedCheck = 1,  // active health checks
  kEjected = 2,      // outlier detection
  kDrained = 4,      // an operator
  kUnchecked = 8,    // active health checks: none was made yet; never in the word
};
using EndpointFaults = uint8_t;

constexpr bool HasFault(EndpointFaults faults, EndpointFault fault) {
  return (faults & static_cast<EndpointFaults>(fault)) != 0;
}

class EndpointHealth {
 public:
  EndpointHealth() = default;  // has no word
  explicit EndpointHealth(SharedWord word) : word_(word) {}

  bool has_word() const { return static_cast<bool>(word_); }

  // Those of operators and of outlier detection.
  EndpointFaults faults() const { return static_cast<EndpointFaults>(Load() & kFaults); }
  // REQUIRES: one of those, and a word. Says whether that changes anything.
  bool Set(EndpointFault fault, bool on) {
    const auto bit = static_cast<uint64_t>(fault);
    return Replace(bit, on ? bit : 0);
  }

  // What active checks last said: no fault, kFailedCheck, or kUnchecked.
  EndpointFaults check() const {
    const uint64_t now = Load();
    if ((now & kChecked) == 0) return static_cast<EndpointFaults>(EndpointFault::kUnchecked);
    return static_cast<EndpointFaults>(now & kFailed);
  }
  // REQUIRES: a word.
  void SetChecked(bool failed) {
    Replace(kChecked | kFailed, failed ? kChecked | kFailed : kChecked);
  }
  void ForgetCheck() {
    if (has_word()) Replace(kChecked | kFailed, 0);
  }

 private:
  static constexpr uint64_t kFailed = static_cast<uint64_t>(EndpointFault::kFailedCheck);
  static constexpr uint64_t kFaults = static_cast<uint64_t>(EndpointFault::kEjected) |
                                      static_cast<uint64_t>(EndpointFault::kDrained);
  static constexpr uint64_t kChecked = 256;  // a check was made, and not forgotten

  uint64_t Load() const { return has_word() ? word_.Load() : 0; }
  bool Replace(uint64_t mask, uint64_t bits) {
    uint64_t now = word_.Load();
    while ((now & mask) != bits) {
      if (word_.CompareExchange(now, (now & ~mask) | bits)) return true;
    }
    return false;
  }

  SharedWord word_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_ENDPOINT_HEALTH_H_
