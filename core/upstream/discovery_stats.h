// The metrics of a cluster that the main thread keeps: how its endpoints come and go.
#ifndef SLUICE_CORE_UPSTREAM_DISCOVERY_STATS_H_
#define SLUICE_CORE_UPSTREAM_DISCOVERY_STATS_H_

#include "core/stats/scope.h"

namespace sluice {

struct DiscoveryStats {
  Gauge endpoints;
  Gauge drained;
  Counter changes;
  Counter dns_answers;
  Counter dns_failures;

  void Describe(MetricTable& table) {
    table.Add(endpoints, {"sluice_upstream_endpoints", "Endpoints that requests go to."});
    table.Add(drained, {"sluice_upstream_endpoints_drained",
                        "Endpoints that an operator has drained (POST /endpoints/drain)."});
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
