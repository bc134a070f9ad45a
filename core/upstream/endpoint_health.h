// EndpointHealth: why an endpoint must not be used, as a word that all workers and the next process
// share. The main thread sets it, through Cluster::SetFault, which publishes what follows from it;
// who balances reads the endpoint set.
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
};
using EndpointFaults = uint8_t;

constexpr bool HasFault(EndpointFaults faults, EndpointFault fault) {
  return (faults & static_cast<EndpointFaults>(fault)) != 0;
}

class EndpointHealth {
 public:
  EndpointHealth() = default;  // may only be assigned to
  explicit EndpointHealth(SharedWord word) : word_(word) {}

  EndpointFaults faults() const { return static_cast<EndpointFaults>(word_.Load()); }
  // Says whether that changes anything.
  bool Set(EndpointFault fault, bool on) {
    const auto bit = static_cast<uint64_t>(fault);
    uint64_t now = word_.Load();
    while (((now & bit) != 0) != on) {
      if (word_.CompareExchange(now, on ? now | bit : now & ~bit)) return true;
    }
    return false;
  }

 private:
  SharedWord word_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_ENDPOINT_HEALTH_H_
