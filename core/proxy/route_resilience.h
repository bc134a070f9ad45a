// RouteResilience: what keeps failures of a route's clusters from its clients, and too many of its
// requests from the clusters, as one worker uses it. Most routes have none. Owned by the listener's
// runtime; of the worker's thread.
#ifndef SLUICE_CORE_PROXY_ROUTE_RESILIENCE_H_
#define SLUICE_CORE_PROXY_ROUTE_RESILIENCE_H_

#include <memory>

#include "core/proxy/hedge_delay.h"
#include "core/proxy/route_fallbacks.h"
#include "core/upstream/bulkhead/bulkhead.h"

namespace sluice {

class Breaker;

struct RouteResilience {
  const RouteFallbacks* fallbacks = nullptr;  // null: none
  std::unique_ptr<HedgeDelay> hedge;          // null: no hedging
  // One for each of its clusters, by StreamInfo::route_choice; the listener's settings own them.
  // Null: none.
  const std::unique_ptr<Breaker>* breakers = nullptr;
  std::unique_ptr<Bulkhead> bulkhead;  // null: none
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_ROUTE_RESILIENCE_H_
