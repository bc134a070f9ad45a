// Clusters: the clusters of the process. One that a new configuration leaves as it was goes on,
// with its pools, endpoints and resolver; others are made, and go when no generation uses them any
// more. Owned by the server; of the main thread.
#ifndef SLUICE_CORE_SERVER_CLUSTERS_H_
#define SLUICE_CORE_SERVER_CLUSTERS_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/upstream/breaker/breaker_board.h"
#include "core/upstream/cluster.h"

namespace sluice {

class Clusters {
 public:
  // `changed` hears of each new endpoint set, and when a cluster becomes warm. The others
  // outlive the clusters.
  Clusters(Loop& loop, StatsDirectory& stats, BreakerBoard& breakers,
           std::function<void(const Cluster&)> changed);
  ~Clusters();
  Clusters(const Clusters&) = delete;
  Clusters& operator=(const Clusters&) = delete;

  // The cluster that `config` describes: one that is there, or a new one. Errors: see
  // Cluster::Create.
  Result<Cluster*> Get(const config::Cluster& config);
  // Of all clusters of that name: while a reload is under way there may be two. See
  // Cluster::SetFault with an operator's, of all clusters of that name.
  bool SetDrained(std::string_view cluster, std::string_view address, bool drained);
  // Begins to resolve the names and to check the endpoints of those that are new. Those in
  // `newest`, of the newest configuration, go on with their checks, others break them off; the
  // gauges show the endpoints of the former.
  void Start(const std::vector<Cluster*>& newest);
  // Destroys those for which `used` is false.
  void Sweep(const std::function<bool(const Cluster&)>& used);

 private:
  struct Entry {
    std::string config;  // serialised
    std::unique_ptr<Cluster> cluster;
    bool started = false;
  };

  Loop& loop_;
  StatsDirectory& stats_;
  BreakerBoard& breakers_;
  std::function<void(const Cluster&)> changed_;
  std::vector<Entry> entries_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CLUSTERS_H_
