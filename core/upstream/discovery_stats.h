// The metrics of a cluster that the main thread keeps: how its endpoints come and go.
#ifndef SLUICE_CORE_UPSTREAM_DISCOVERY_STATS_H_
#define SLUICE_CORE_UPSTREAM_DISCOVERY_STATS_H_

#include "core/stats/scope.h"

namespace sluice {

struct DiscoveryStats {
  Gauge endpoints;
  Gauge endpoints_usable;
  Gauge endpoints_drained;
  Gauge endpoints_unhealthy;
  Gauge priorities_in_panic;
  Counter changes;
  Counter fault_changes;
  Counter dns_answers;
  Counter dns_failures;

  void Describe(MetricTable& table) {
    table.Add(endpoints, {"sluice_upstream_endpoints", "Endpoints of the cluster."});
    table.Add(endpoints_usable, {"sluice_upstream_endpoints_usable",
                                 "Endpoints that no check, ejection or operator took out."});
    table.Add(endpoints_drained,
              {"sluice_upstream_endpoints_drained",
               "Endpoints that an operator has drained (POST /endpoints/drain)."});
    table.Add(endpoints_unhealthy,
              {"sluice_upstream_endpoints_unhealthy", "Endpoints that fail their active checks."});
    table.Add(priorities_in_panic,
              {"sluice_upstream_priorities_in_panic",
               "Priorities whose endpoints are all used, as too few of them are usable."});
    table.Add(fault_changes, {"sluice_upstream_endpoint_fault_changes_total",
                              "Endpoints taken out, and let in again."});
    table.Add(changes, {"sluice_upstream_endpoint_changes_total",
                        "Changes of the cluster's endpoints that DNS brought."});
    table.Add(dns_answers,
              {"sluice_upstream_dns_answers_total", "Names of endpoints that DNS resolved."});
    table.Add(dns_failures,
              {"sluice_upstream_dns_failures_total",
               "Names of endpoints that could not be resolved; the last good answer stays."});
  }
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_DISCOVERY_STATS_H_
