// ListenerRuntime: one listener's settings as one worker uses them: filter factories, chain plans
// by route, handles of the stats. Owned by the worker's generation of the configuration; a stream
// keeps the one that it began with.
#ifndef SLUICE_CORE_PROXY_LISTENER_RUNTIME_H_
#define SLUICE_CORE_PROXY_LISTENER_RUNTIME_H_

#include <memory>
#include <vector>

#include "core/filter/chain.h"
#include "core/filter/last_filter.h"
#include "core/proxy/listener_settings.h"
#include "core/proxy/proxy_generation.h"
#include "core/proxy/proxy_worker.h"
#include "core/proxy/route_resilience.h"

namespace sluice {

class ListenerRuntime {
 public:
  // Settings, worker and generation outlive it.
  ListenerRuntime(const ListenerSettings& listener_settings, ProxyWorker& proxy_worker,
                  ProxyGeneration& proxy_generation,
                  std::unique_ptr<LastFilterFactory> last_filter);
  ~ListenerRuntime();

  // The filters of a route; null: those of requests without one.
  const ChainPlan& plan(const Route* route) const {
    return route == nullptr ? default_plan_ : *routes_[route->index()].plan;
  }
  // Null if nothing changes on this route; else by StreamInfo::route_choice.
  const RouteExtras::Changes* changes(const Route* route) const {
    return route == nullptr ? nullptr : routes_[route->index()].changes;
  }
  // Null for routes without a name.
  RouteStats* route_stats(const Route* route) {
    return route == nullptr ? nullptr : routes_[route->index()].stats.get();
  }
  // Null for most routes.
  RouteResilience* resilience(const Route* route) {
    return route == nullptr ? nullptr : routes_[route->index()].resilience.get();
  }

  // Null for routes that have none.
  Bulkhead* bulkhead(const Route* route) const {
    const RouteResilience* const own = routes_[route->index()].resilience.get();
    return own == nullptr ? nullptr : own->bulkhead.get();
  }

  const ListenerSettings& settings;
  ProxyWorker& worker;
  ProxyGeneration& generation;
  ListenerStats stats;
  const std::unique_ptr<LastFilterFactory> last_filter;

 private:
  // All that a request asks of its route, in one cache line.
  struct alignas(32) PerRoute {
    const ChainPlan* plan = nullptr;
    const RouteExtras::Changes* changes = nullptr;
    std::unique_ptr<RouteStats> stats;
    std::unique_ptr<RouteResilience> resilience;
  };

  std::vector<std::unique_ptr<FilterFactory>> factories_;  // as settings.filters
  ChainPlan default_plan_;
  std::vector<std::unique_ptr<ChainPlan>> own_plans_;  // of routes with filters of their own
  std::vector<PerRoute> routes_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_LISTENER_RUNTIME_H_
