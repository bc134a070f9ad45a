#include "core/proxy/listener_runtime.h"

namespace sluice {

ListenerRuntime::ListenerRuntime(const ListenerSettings& listener_settings,
                                 ProxyWorker& proxy_worker, ProxyGeneration& proxy_generation,
                                 std::unique_ptr<LastFilterFactory> last)
    : settings(listener_settings),
      worker(proxy_worker),
      generation(proxy_generation),
      stats(listener_settings.stats.Bind(proxy_worker.stats)),
      last_filter(std::move(last)) {
  const WorkerContext context = worker.Context();
  for (const LoadedFilter& filter : settings.filters) {
    factories_.push_back(filter.kind->NewFactory(*filter.settings, context));
  }
  for (uint32_t i = 0; i < settings.filter_count; ++i) default_plan_.Add(*factories_[i]);
  routes_.resize(settings.route_extras.size());
  for (size_t i = 0; i < settings.route_extras.size(); ++i) {
    const RouteExtras& extras = settings.route_extras[i];
    PerRoute& route = routes_[i];
    route.plan = &default_plan_;
    if (extras.changes_anything()) route.changes = extras.changes.data();
    if (extras.has_stats) {
      route.stats = std::make_unique<RouteStats>(extras.stats.Bind(worker.stats));
    }
    if (!extras.fallbacks.empty() || extras.hedges || !extras.breakers.empty() ||
        extras.bulkhead != nullptr) {
      route.resilience = std::make_unique<RouteResilience>();
      if (!extras.breakers.empty()) route.resilience->breakers = extras.breakers.data();
      if (!extras.fallbacks.empty()) route.resilience->fallbacks = &extras.fallbacks;
      if (extras.hedges) {
        route.resilience->hedge =
            std::make_unique<HedgeDelay>(extras.hedge_after, extras.hedge_percentile);
      }
      if (extras.bulkhead != nullptr) {
        route.resilience->bulkhead =
            std::make_unique<Bulkhead>(worker.loop, worker.random, *extras.bulkhead, worker.stats);
      }
    }
    if (extras.default_filters) continue;
    own_plans_.push_back(std::make_unique<ChainPlan>());
    for (uint32_t filter : extras.filters) own_plans_.back()->Add(*factories_[filter]);
    route.plan = own_plans_.back().get();
  }
}

ListenerRuntime::~ListenerRuntime() = default;

}  // namespace sluice
