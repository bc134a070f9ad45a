// RouteTable: the routing of one listener, compiled. Built on the main thread when a configuration
// loads; owned by the snapshot, shared by all workers, immutable, without locks.
#ifndef SLUICE_CORE_CONFIG_ROUTE_TABLE_H_
#define SLUICE_CORE_CONFIG_ROUTE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/base/random.h"
#include "core/base/result.h"
#include "core/config/route_entry.h"
#include "core/config/route_input.h"

namespace sluice {
namespace config {
class Config;
class Host;
class Listener;
}  // namespace config

class RouteHosts;
class RouteMatcher;

// The routes of some domains, in order. Owned by its table.
class VirtualHost {
 public:
  ~VirtualHost();

  // "*" for the routes of a listener without hosts.
  std::string_view name() const { return name_; }
  // Counts the hosts of a table from 0.
  uint32_t index() const { return index_; }
  // nullptr for the routes of a listener without hosts.
  const config::Host* config() const { return config_; }
  const std::vector<Route>& routes() const { return routes_; }

  // The first route that takes the request; nullptr: none. Its authority is not looked at.
  const Route* Match(const RouteInput& input, Random& random) const;

 private:
  friend class RouteCompiler;
  VirtualHost();

  std::string_view name_;
  uint32_t index_ = 0;
  const config::Host* config_ = nullptr;
  std::vector<Route> routes_;
  std::unique_ptr<RouteMatcher> matcher_;
};

class RouteTable {
 public:
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;
  ~RouteTable();

  // Errors name the place: `listener "web": hosts[1].routes[0].match.regex: ...`.
  // REQUIRES: `listener` is one of `config`'s, and `config` outlives the table.
  static Result<std::unique_ptr<const RouteTable>> Compile(const config::Listener& listener,
                                                           const config::Config& config);

  // The route that takes the request; nullptr: none, answer 404. `host`, if given, is set to the
  // virtual host, nullptr if there is none for the authority. Draws from `random` for routes with a
  // fraction only.
  const Route* Match(const RouteInput& input, Random& random,
                     const VirtualHost** host = nullptr) const {
    const VirtualHost* found = FindHost(input.authority);
    if (host != nullptr) *host = found;
    return found == nullptr ? nullptr : found->Match(input, random);
  }

  // The most specific virtual host for a request's authority, whatever its case, its port or a dot
  // at its end; nullptr: none.
  const VirtualHost* FindHost(std::string_view authority) const;

  const std::vector<std::unique_ptr<VirtualHost>>& hosts() const { return hosts_; }
  size_t route_count() const { return route_count_; }

 private:
  friend class RouteCompiler;
  RouteTable();

  std::vector<std::unique_ptr<VirtualHost>> hosts_;
  std::unique_ptr<RouteHosts> domains_;     // nullptr: the one host takes all
  std::unique_ptr<RouteStrings> clusters_;  // names to indices in config.clusters
  size_t route_count_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_TABLE_H_
