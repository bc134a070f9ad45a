// What makes an endpoint an outlier among the others, how many may be ejected, and for how long:
// functions of numbers alone. After Envoy's outlier detection and gRPC's A50, latency besides.
#ifndef SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_RULES_H_
#define SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_RULES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/upstream/outlier/ejection_cause.h"
#include "core/upstream/outlier/outlier_settings.h"

namespace sluice {

// An endpoint in the interval that is over. One that is ejected has no requests here.
struct OutlierFigures {
  uint64_t requests = 0;
  uint64_t successes = 0;
  Nanos latency = 0;  // AverageLatency; 0: none is known
};

struct Outlier {
  size_t index;  // in the figures
  EjectionCause cause;
  // What it has, and the bound that it is beyond: of 1 for success rates, percent for failures,
  // nanoseconds for latencies.
  double value;
  double bound;
};

// Those to be ejected, the worst first, each once. Compared are endpoints with `min_requests` or
// more, if there are `min_endpoints` of them.
std::vector<Outlier> FindOutliers(const OutlierSettings& settings,
                                  const std::vector<OutlierFigures>& figures);

// The average over intervals, after one whose requests took `mean`: what was before counts as much
// as the interval. `average` 0: there was none.
Nanos AverageLatency(Nanos average, Nanos mean);

// May one more of `endpoints` be ejected, besides those `ejected` already? `others`: how many
// stay usable without it. The last one is never ejected.
bool MayEject(const OutlierSettings& settings, size_t endpoints, size_t ejected, size_t others);

// The number of the next ejection of an endpoint that has `ejections` against it. It does not grow
// beyond what makes the ejection longest, so that it is worked off in time.
uint64_t NextEjection(const OutlierSettings& settings, uint64_t ejections);

// How long the `ejection`th ejection lasts, counted from 1.
Nanos EjectionTime(const OutlierSettings& settings, uint64_t ejection, Random& random);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_RULES_H_
