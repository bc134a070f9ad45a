// The metrics of a cluster that detects outliers.
#ifndef SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_STATS_H_
#define SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_STATS_H_

#include "core/stats/scope.h"
#include "core/upstream/outlier/ejection_cause.h"

namespace sluice {

struct OutlierStats {
  Gauge ejected;
  Counter ejections[kEjectionCauses];
  Counter refused;

  void Describe(MetricTable& table) {
    table.Add(ejected, {"sluice_upstream_endpoints_ejected",
                        "Endpoints that outlier detection has taken out for a while."});
    for (size_t i = 0; i < kEjectionCauses; ++i) {
      table.Add(ejections[i],
                {"sluice_upstream_ejections_total",
                 "Endpoints ejected by outlier detection, by what they did."},
                {{"cause", NameOf(static_cast<EjectionCause>(i))}});
    }
    table.Add(refused, {"sluice_upstream_ejections_refused_total",
                        "Ejections not made, as too many endpoints would be out."});
  }
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_STATS_H_
