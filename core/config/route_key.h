// What a route is known by for longer than one configuration lasts: in the words and series of its
// breakers and its bulkhead. Pure; any thread.
#ifndef SLUICE_CORE_CONFIG_ROUTE_KEY_H_
#define SLUICE_CORE_CONFIG_ROUTE_KEY_H_

#include <string>

namespace sluice {
namespace config {
class Route;
}

// Its name; without one its match, which stays the same wherever in its list the route stands:
// "/api/" of a prefix alone, else the path and a hash of all of it, "/api/~1a2b3c4d". One key among
// the routes of a host that have a breaker or a bulkhead: RouteChecks sees to it.
std::string RouteKey(const config::Route& route);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_KEY_H_
