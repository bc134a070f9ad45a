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
#include "core/proxy/proxy_worker.h"

namespace sluice {

class ListenerRuntime {
 public:
  // Settings and worker outlive it.
  ListenerRuntime(const ListenerSettings& listener_settings, ProxyWorker& proxy_worker,
                  std::unique_ptr<LastFilterFactory> last_filter);
  ~ListenerRuntime();

  // The filters of a route; null: those of requests without one.
  const ChainPlan& plan(const Route* route) const {
    if (route == nullptr || route_plans_.empty()) return default_plan_;
    const ChainPlan* own = route_plans_[route->index()].get();
    return own == nullptr ? default_plan_ : *own;
  }
  const RouteExtras* extras(const Route* route) const {
    return route == nullptr ? nullptr : &settings.route_extras[route->index()];
  }
  // Null for routes without a name.
  RouteStats* route_stats(const Route* route) {
    return route == nullptr ? nullptr : route_stats_[route->index()].get();
  }

  const ListenerSettings& settings;
  ProxyWorker& worker;
  ListenerStats stats;
  const std::unique_ptr<LastFilterFactory> last_filter;

 private:
  std::vector<std::unique_ptr<FilterFactory>> factories_;  // as settings.filters
  ChainPlan default_plan_;
  std::vector<std::unique_ptr<ChainPlan>> route_plans_;  // null: the default; empty: all are
  std::vector<std::unique_ptr<RouteStats>> route_stats_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_LISTENER_RUNTIME_H_
