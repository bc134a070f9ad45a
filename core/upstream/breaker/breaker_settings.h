// BreakerSettings: config::Breaker as breakers read it. Immutable; read by all workers.
#ifndef SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_SETTINGS_H_
#define SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_SETTINGS_H_

#include <bitset>
#include <cstdint>

#include "core/base/clock.h"

namespace sluice {

namespace config {
class Breaker;
}

struct BreakerSettings {
  static constexpr uint32_t kStatuses = 1000;
  static constexpr uint32_t kGrpcStatuses = 18;

  double failure_rate = 0.5;  // of 1
  double slow_rate = 0.8;
  Nanos slow_after = kSecond;  // 0: nothing is slow
  Nanos window = 10 * kSecond;
  uint32_t window_calls = 0;  // in place of `window`; 0: by time
  uint32_t min_calls = 20;
  uint32_t consecutive_failures = 0;  // 0: off
  Nanos open_for = 5 * kSecond;
  Nanos max_open_for = 60 * kSecond;  // at least open_for
  double jitter = 0.2;
  uint32_t probes = 5;
  Nanos probe_timeout = 30 * kSecond;
  Nanos recovery_ramp = 10 * kSecond;  // 0: none
  std::bitset<kStatuses> statuses;     // that are failures
  std::bitset<kGrpcStatuses> grpc_statuses;
  bool resets = true;
  bool timeouts = true;
  bool per_endpoint = false;

  // Calls in the window before its shares say anything.
  uint32_t least_calls() const;
  // Results of probes before they say anything.
  uint32_t least_results() const;
};

// The loader has filled in the defaults.
BreakerSettings ReadBreaker(const config::Breaker& config);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_SETTINGS_H_
