#include "core/upstream/outlier/outlier_reader.h"

#include "core/config/health.pb.h"

namespace sluice {

OutlierSettings ReadOutlierDetection(const config::OutlierDetection& config) {
  OutlierSettings settings;
  settings.consecutive_5xx = config.consecutive_5xx();
  settings.consecutive_gateway_failure = config.consecutive_gateway_failure();
  settings.consecutive_local_origin_failure = config.consecutive_local_origin_failure();
  settings.interval = config.interval();
  settings.success_rate_deviations = config.success_rate_deviations();
  settings.failure_percentage = config.failure_percentage();
  settings.latency_factor = config.latency_factor();
  settings.min_endpoints = config.min_endpoints();
  settings.min_requests = config.min_requests();
  settings.ejection_time = config.ejection_time();
  settings.max_ejection_time = config.max_ejection_time();
  settings.ejection_jitter = config.ejection_jitter();
  settings.max_ejection_percent = config.max_ejection_percent();
  return settings;
}

}  // namespace sluice
