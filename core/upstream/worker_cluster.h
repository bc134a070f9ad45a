// WorkerCluster: a cluster as one worker uses it: its endpoint set, its balancer, its pools, its
// own cells of the stats. Owned by the worker; of the worker's thread. It outlives generations of
// the configuration as long as the cluster does not change.
#ifndef SLUICE_CORE_UPSTREAM_WORKER_CLUSTER_H_
#define SLUICE_CORE_UPSTREAM_WORKER_CLUSTER_H_

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/base/random.h"
#include "core/event/loop.h"
#include "core/stats/row.h"
#include "core/upstream/balance/cluster_balancer.h"
#include "core/upstream/balance/endpoint_load.h"
#include "core/upstream/bulkhead/bulkhead.h"
#include "core/upstream/cluster.h"
#include "core/upstream/outlier/outlier_meter.h"
#include "core/upstream/pool.h"

namespace sluice {

// An endpoint as one worker uses it.
struct WorkerEndpoint {
  WorkerEndpoint(Loop& loop, Random& random, const ClusterSettings& settings,
                 ClusterStats& cluster_stats, PoolGroup& pools, const Endpoint& endpoint,
                 const StatsRow& row);

  // The same address, in a new set.
  void Refresh(const Endpoint& endpoint, const StatsRow& row);

  // What it is called in Host, where the request has no name for it: HTTP/1.0.
  std::string_view Authority(Arena& arena) const;

  std::string text;
  std::string hostname;
  std::string session;  // Endpoint::session
  uint32_t id;          // Endpoint::id
  EndpointStats stats;
  EndpointLoad load;
  Breaker* breaker = nullptr;              // the cluster's; null: none
  std::unique_ptr<OutlierMeter> outliers;  // null: they are not detected
  Pool pool;
};

// What a request wants of its endpoint.
struct EndpointWish {
  const TriedEndpoints* tried = nullptr;  // others than these, if there are any; null: none
  std::optional<uint64_t> hash;           // for policies that hash
  std::string_view subset;                // Route::subset()
  std::string_view session;               // the one of that Endpoint::session, if it is usable
  std::string_view address;               // the one of that text, if it is usable
  bool other_priority = false;            // than those of `tried`, if there is another
};

class WorkerCluster {
 public:
  // `settings` outlives it.
  WorkerCluster(Loop& loop, Random& random, const StatsRow& row, const ClusterSettings& settings,
                EndpointSetPtr endpoints);
  ~WorkerCluster();

  const ClusterSettings& settings() const { return settings_; }
  ClusterStats& stats() { return stats_; }
  // What TryMeter is to measure.
  const BalanceFeedback& feedback() const { return feedback_; }

  // Chooses an endpoint; null: there is none. Valid until the current callback ends, and as long as
  // a request waits or runs in its pool. A TryMeter is to be told.
  WorkerEndpoint* Pick(const EndpointWish& wish = {});
  // A request that is no retry is about to be tried.
  void OnRequest() { retry_budget_.OnRequest(loop_.now()); }
  // May one more request be tried again? Takes it out of the budget.
  bool TakeRetry() { return retry_budget_.Take(loop_.now()); }
  // Null: it has none.
  Breaker* breaker() const { return settings_.breaker; }
  const ClusterLimits& limits() const { return settings_.limits; }
  Bulkhead* bulkhead() const { return bulkhead_.get(); }
  size_t endpoint_count() const { return set_->endpoints.size(); }
  // Is one usable besides this one?
  bool HasAnother(const WorkerEndpoint& endpoint) const;
  // Those of the set, once one of them was chosen, and those that have something to finish.
  template <typename Visit>
  void ForEachEndpoint(Visit visit) {
    for (auto* list : {&current_, &leaving_}) {
      for (const auto& endpoint : *list) visit(*endpoint);
    }
  }

  // Endpoints that are no longer in the set finish what they have.
  void Update(EndpointSetPtr endpoints);

 private:
  // The one that is wished for, if it can be had.
  const Endpoint* FindWished(const EndpointWish& wish) const;
  void DropEmpty();
  // Makes the worker's endpoints those of the set.
  void Build(const EndpointSetPtr& endpoints);

  Loop& loop_;
  Random& random_;
  StatsRow row_;
  const ClusterSettings& settings_;
  const BalanceFeedback feedback_;
  ClusterStats stats_;
  RetryBudget retry_budget_;
  std::unique_ptr<Bulkhead> bulkhead_;
  EndpointSetPtr set_;
  ClusterBalancer balancer_;
  PoolGroup pools_;
  // One of the set was chosen. Until then the worker has no endpoints: many clusters, few used.
  bool used_ = false;
  std::vector<std::unique_ptr<WorkerEndpoint>> current_;  // as in set_->endpoints, if used_
  std::vector<std::unique_ptr<WorkerEndpoint>> leaving_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_WORKER_CLUSTER_H_
