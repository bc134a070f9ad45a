// OutlierSettings: what a cluster's `outlier_detection` says. Immutable, read by all threads.
#ifndef SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_SETTINGS_H_
#define SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_SETTINGS_H_

#include <cstdint>

#include "core/base/clock.h"

namespace sluice {

struct OutlierSettings {
  // In a row; 0: off.
  uint32_t consecutive_5xx = 5;
  uint32_t consecutive_gateway_failure = 0;
  uint32_t consecutive_local_origin_failure = 5;

  Nanos interval = 10 * kSecond;
  // 0: off.
  double success_rate_deviations = 1.9;
  double failure_percentage = 0;
  double latency_factor = 0;
  uint32_t min_endpoints = 5;
  uint32_t min_requests = 100;

  Nanos ejection_time = 30 * kSecond;
  Nanos max_ejection_time = 300 * kSecond;
  Nanos ejection_jitter = 0;
  double max_ejection_percent = 10;

  // Are endpoints compared with each other, so that each request is to be counted?
  bool compares() const {
    return success_rate_deviations > 0 || failure_percentage > 0 || latency_factor > 0;
  }
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_SETTINGS_H_
