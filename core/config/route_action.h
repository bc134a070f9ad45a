// What a route does other than choosing a cluster: redirect, respond, rewrite, mirror. Owned by its
// Route; immutable, read by all workers.
#ifndef SLUICE_CORE_CONFIG_ROUTE_ACTION_H_
#define SLUICE_CORE_CONFIG_ROUTE_ACTION_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/arena.h"
#include "core/config/route_fraction.h"
#include "core/config/route_path_change.h"

namespace sluice {

inline constexpr uint32_t kNoCluster = UINT32_MAX;

// Sends the client elsewhere.
class RouteRedirect {
 public:
  uint16_t status() const { return status_; }

  // The Location field (RFC 9110 10.2.2), in the arena: an absolute URI, or a path where the
  // request has no authority. `scheme` is http or https; `path` is what the route matched, without
  // the query.
  std::string_view Location(std::string_view scheme, std::string_view authority,
                            std::string_view path, std::string_view query, Arena& arena) const;

 private:
  friend class RouteCompiler;

  std::string_view Authority(std::string_view scheme, std::string_view authority,
                             Arena& arena) const;

  uint16_t status_ = 301;
  uint16_t port_ = 0;
  bool strip_query_ = false;
  std::string scheme_;
  std::string host_;
  std::string path_;  // the whole new path, perhaps with a query and a fragment
  RoutePathChange change_;
};

// Answers right here. The views live as long as the configuration.
struct RouteRespond {
  uint16_t status = 200;
  std::string_view body;
  std::string_view content_type;
};

// Changes what the upstream sees.
class RouteRewrite {
 public:
  // The new Host; empty: as it is.
  std::string_view host() const { return host_; }
  bool changes_path() const { return change_.changes(); }

  // The new target: the new path and the query. In the arena, unless it is just `path`.
  // REQUIRES: the route matched `path`.
  std::string_view Target(std::string_view path, std::string_view query, Arena& arena) const;

 private:
  friend class RouteCompiler;

  std::string host_;
  RoutePathChange change_;
};

// Sends a copy to another cluster.
struct RouteMirror {
  std::string_view cluster;
  uint32_t cluster_index = kNoCluster;  // in config.clusters
  RouteFraction fraction;               // fraction.Draw(random): copy this one?
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_ACTION_H_
