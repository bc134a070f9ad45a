#include "core/upstream/breaker/breaker_settings.h"

#include <algorithm>

#include "core/config/breaker.pb.h"

namespace sluice {

uint32_t BreakerSettings::least_calls() const {
  return window_calls == 0 ? min_calls : std::min(min_calls, window_calls);
}

uint32_t BreakerSettings::least_results() const { return std::min(min_calls, probes); }

BreakerSettings ReadBreaker(const config::Breaker& config) {
  BreakerSettings settings;
  settings.failure_rate = config.failure_rate() / 100;
  settings.slow_rate = config.slow_rate() / 100;
  settings.slow_after = config.slow_after();
  settings.window = config.window();
  settings.window_calls = config.window_calls();
  settings.min_calls = config.min_calls();
  settings.consecutive_failures = config.consecutive_failures();
  settings.open_for = config.open_for();
  settings.max_open_for = std::max(config.max_open_for(), config.open_for());
  settings.jitter = config.jitter() / 100;
  settings.probes = config.probes();
  settings.probe_timeout = config.probe_timeout();
  settings.recovery_ramp = config.recovery_ramp();
  for (const uint32_t status : config.statuses()) {
    if (status < BreakerSettings::kStatuses) settings.statuses.set(status);
  }
  if (config.statuses().empty()) {
    settings.statuses.set(429);
    for (uint32_t status = 500; status < BreakerSettings::kStatuses; ++status) {
      settings.statuses.set(status);
    }
  }
  for (const uint32_t status : config.grpc_statuses()) {
    if (status < BreakerSettings::kGrpcStatuses) settings.grpc_statuses.set(status);
  }
  settings.resets = config.resets();
  settings.timeouts = config.timeouts();
  settings.per_endpoint = config.per_endpoint();
  return settings;
}

}  // namespace sluice
