// EndpointSeries: the stats of a cluster's endpoints, one set of series each. Endpoints of the
// config always have their own; of those that DNS brings only the first kMostFromDns that were ever
// seen: the stats directory never frees an entry, and names behind which addresses come and go
// would fill it. The rest share the series endpoint="other". Owned by the cluster; of the main
// thread.
#ifndef SLUICE_CORE_UPSTREAM_ENDPOINT_SERIES_H_
#define SLUICE_CORE_UPSTREAM_ENDPOINT_SERIES_H_

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/stats/shared_word.h"
#include "core/upstream/endpoint.h"

namespace sluice {

class StatsDirectory;

class EndpointSeries {
 public:
  static constexpr size_t kMostFromDns = 256;

  // `cluster` carries the labels of the cluster `name`. Borrows the directory.
  EndpointSeries(const StatsScope& cluster, std::string_view name, StatsDirectory& directory)
      : cluster_(cluster), name_(name), directory_(directory) {}

  // Is it drained? A word that processes share, for endpoints that have their own series; what is
  // said of others this process alone knows.
  bool drained(const Endpoint& endpoint);
  void set_drained(const Endpoint& endpoint, bool drained);

  // Of the same endpoint always the same.
  StatsGroup<EndpointStats> Of(const Endpoint& endpoint);

 private:
  StatsScope cluster_;
  std::string name_;
  StatsDirectory& directory_;
  struct Series {
    StatsGroup<EndpointStats> stats;
    SharedWord drained;  // 1: yes
  };
  std::unordered_map<std::string, Series> known_;
  std::set<std::string, std::less<>> others_drained_;
  size_t from_dns_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_ENDPOINT_SERIES_H_
