// The metrics of a cluster's active checks. Written by the main thread.
#ifndef SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_STATS_H_
#define SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_STATS_H_

#include "core/stats/scope.h"

namespace sluice {

struct HealthStats {
  Counter successes;
  Counter failures;
  Counter not_made;  // for want of something of our own, such as fds: they say nothing
  Counter to_healthy;
  Counter to_unhealthy;

  void Describe(MetricTable& table) {
    const Metric checks{"sluice_upstream_health_checks_total",
                        "Active checks of endpoints, by result."};
    table.Add(successes, checks, {{"result", "success"}});
    table.Add(failures, checks, {{"result", "failure"}});
    table.Add(not_made, checks, {{"result", "not_made"}});
    const Metric changes{"sluice_upstream_health_changes_total",
                         "Endpoints that active checks found well, or ill, and before did not."};
    table.Add(to_healthy, changes, {{"to", "healthy"}});
    table.Add(to_unhealthy, changes, {{"to", "unhealthy"}});
  }
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_STATS_H_
