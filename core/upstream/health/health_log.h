// HealthLog: the subscriber that tells people: a line for each change, and counters.
#ifndef SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_LOG_H_
#define SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_LOG_H_

#include <string>

#include "core/upstream/health/health_event.h"
#include "core/upstream/health/health_stats.h"

namespace sluice {

// `stats` outlives it. An endpoint that is well at its first check is counted, but no news.
HealthSubscriber HealthLog(std::string cluster, HealthStats& stats);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_LOG_H_
