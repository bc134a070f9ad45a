// EndpointLoad: what a worker's balancer knows of an endpoint: who is busy, who is slow, who said
// what of itself. Owned by the worker's endpoint, so that it stays when the set changes; of the
// worker's thread, but for `active`, which all workers share.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_ENDPOINT_LOAD_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_ENDPOINT_LOAD_H_

#include "core/base/clock.h"
#include "core/stats/shared_gauge.h"
#include "core/upstream/balance/latency_average.h"
#include "core/upstream/balance/reported_load.h"

namespace sluice {

struct EndpointLoad {
  SharedGauge active;  // tries in flight, of all workers
  LatencyAverage latency;
  ReportedLoad reported;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_ENDPOINT_LOAD_H_
