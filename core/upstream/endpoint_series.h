// EndpointSeries: the stats of a cluster's endpoints, one set of series each. Endpoints of the
// config always have their own; of those that DNS brings only the first kMostFromDns that were ever
// seen: the stats directory never frees an entry, and names behind which addresses come and go
// would fill it. The rest share the series endpoint="other". Owned by the cluster; of the main
// thread.
#ifndef SLUICE_CORE_UPSTREAM_ENDPOINT_SERIES_H_
#define SLUICE_CORE_UPSTREAM_ENDPOINT_SERIES_H_

#include <string>
#include <unordered_set>

#include "core/upstream/endpoint.h"

namespace sluice {

class EndpointSeries {
 public:
  static constexpr size_t kMostFromDns = 256;

  // `cluster` carries the cluster's labels.
  explicit EndpointSeries(const StatsScope& cluster) : cluster_(cluster) {}

  // Is it one with series of its own? Always the same of an endpoint.
  bool HasOwn(const Endpoint& endpoint);
  StatsGroup<EndpointStats> Of(const Endpoint& endpoint);

 private:
  StatsScope cluster_;
  std::unordered_set<std::string> from_dns_;  // those that have their own
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_ENDPOINT_SERIES_H_
