#include "core/upstream/bulkhead/bulkhead_settings.h"

#include <algorithm>

#include "core/config/bulkhead.pb.h"
#include "core/stats/directory.h"

namespace sluice {

BulkheadSettings::BulkheadSettings(const config::Bulkhead& config, StatsDirectory& directory,
                                   const LabelList& labels)
    : requests(config.requests()), reserve(config.reserve() / 100) {
  if (config.has_queue()) queue = {config.queue().requests(), config.queue().wait()};
  if (config.has_per()) {
    consumer = HashSource(config.per());
    consumers = std::make_unique<ConsumerCounts>();
    waiters = std::make_unique<ConsumerCounts>();
  }
  active = directory.SharedGauge(
      Metric{"sluice_bulkhead_requests_active", "Requests that the bulkhead let in."}.OfMany(),
      labels);
  waiting = directory.SharedGauge(
      Metric{"sluice_bulkhead_requests_waiting", "Requests in the bulkhead's queues."}.OfMany(),
      labels);
  stats = StatsScope(directory, labels).Group<BulkheadStats>();
  if (!config.has_adaptive()) return;
  const config::AdaptiveLimit& limits = config.adaptive();
  adaptive = {requests, limits.at_least(), limits.at_most(), limits.tolerance()};
  words = directory.Words("adaptive_limit", labels);
  Metric metric{"sluice_bulkhead_limit", "The limit of an adaptive bulkhead."};
  metric.gauge_of = GaugeOf::kLatestProcess;
  limit = directory.SharedGauge(metric.OfMany(), labels);
  metric.name = "sluice_bulkhead_gradient_percent";
  metric.help = "What the last measurement multiplied the limit by.";
  gradient = directory.SharedGauge(metric.OfMany(), labels);
  limit.Set(AdaptiveLimit(*adaptive, words).limit());
  gradient.Set(100);
}

uint32_t BulkheadSettings::WithoutReserve(uint32_t all) const {
  if (reserve == 0) return all;
  return std::max(1U, static_cast<uint32_t>((1 - reserve) * all));
}

}  // namespace sluice
