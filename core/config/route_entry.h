// Route: one line of the routing table, compiled: where its requests go and on what terms. Owned by
// its VirtualHost, and so by the snapshot, which a stream keeps; immutable, read by all workers.
// Views and pointers to config messages live as long as the snapshot's configuration.
#ifndef SLUICE_CORE_CONFIG_ROUTE_ENTRY_H_
#define SLUICE_CORE_CONFIG_ROUTE_ENTRY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/config/hash_keys.h"
#include "core/config/route_action.h"
#include "core/config/route_input.h"
#include "core/config/route_retries.h"

namespace sluice {
namespace config {
class FilterUse;
class HeaderChanges;
class Route;
}  // namespace config

class RouteStrings;
class VirtualHost;

// The header changes that apply, in their order of evaluation: weighted cluster, route, host,
// listener. Levels that change nothing are left out.
struct RouteHeaders {
  std::vector<const config::HeaderChanges*> request;
  std::vector<const config::HeaderChanges*> response;
};

// Where one request goes.
struct RouteTarget {
  // Empty: the header that names it is missing. 503 where there is no such cluster.
  std::string_view cluster;
  uint32_t cluster_index = kNoCluster;  // in config.clusters
  uint32_t choice = 0;                  // which of the route's choices, for headers()
};

// What every request reads stands first, in two cache lines that are fetched together.
class alignas(128) Route {
 public:
  enum class Action : uint8_t { kCluster, kClusterHeader, kWeightedClusters, kRedirect, kRespond };

  Route(Route&&) noexcept;
  ~Route();

  std::string_view name() const { return name_; }
  // Counts the routes of a table from 0, all hosts together: for arrays beside the table.
  uint32_t index() const { return index_; }
  const VirtualHost& host() const { return *host_; }
  const config::Route& config() const { return *config_; }

  Action action() const { return action_; }
  // The cluster for this request. REQUIRES: the action is one of the three cluster actions.
  RouteTarget Pick(const RouteInput& input, Random& random) const;

  // The weighted clusters; 1 for any other action.
  size_t choice_count() const { return headers_.size(); }
  const RouteHeaders& headers(size_t choice = 0) const { return headers_[choice]; }

  // Each nullptr if the route has none.
  const RouteRedirect* redirect() const { return redirect_.get(); }
  const RouteRespond* respond() const { return respond_.get(); }
  const RouteRewrite* rewrite() const { return rewrite_.get(); }
  const RouteMirror* mirror() const { return mirror_.get(); }
  const RouteRetries* retries() const { return retries_.get(); }

  // From the end of the request to the end of the response; 0: none.
  Nanos timeout() const { return timeout_; }
  // The listener's stream_idle if the route has none of its own; 0: forever.
  Nanos idle_timeout() const { return idle_timeout_; }
  // 0: no limit but timeout().
  Nanos per_try_timeout() const { return per_try_timeout_; }

  // Of requests that do not say it: a config::Priority.
  int priority() const { return priority_; }

  // What the cluster's policy is to hash; empty: as the cluster says.
  const HashKeys& hash() const { return hash_; }
  // The endpoints that are wanted, by SubsetText of their metadata; empty: any.
  const std::string& subset() const { return subset_; }

  // May a client switch to this token of the Upgrade field, or use "connect"? Whatever its case.
  bool AllowsUpgrade(std::string_view token) const;
  bool has_upgrades() const { return !upgrades_.empty(); }

  // How the filter runs here; nullptr: as on the listener. For compiling, not for requests.
  const config::FilterUse* FindFilter(std::string_view name) const;

 private:
  friend class RouteCompiler;

  struct Choice {
    std::string_view cluster;
    uint32_t cluster_index = kNoCluster;
    uint64_t weights_up_to = 0;  // the sum of weights up to this one
  };

  Route();
  uint64_t PickPoint(const RouteInput& input, Random& random) const;

  Action action_ = Action::kCluster;
  uint8_t priority_ = 0;
  uint32_t index_ = 0;
  std::string_view name_;
  Nanos timeout_ = 0;
  Nanos idle_timeout_ = 0;
  Nanos per_try_timeout_ = 0;
  std::string_view cluster_;  // of the one cluster
  uint32_t cluster_index_ = kNoCluster;
  std::unique_ptr<RouteRedirect> redirect_;
  std::unique_ptr<RouteRespond> respond_;
  std::unique_ptr<RouteRewrite> rewrite_;
  std::unique_ptr<RouteMirror> mirror_;
  std::unique_ptr<const RouteRetries> retries_;
  const VirtualHost* host_ = nullptr;

  const config::Route* config_ = nullptr;
  std::vector<Choice> choices_;  // of weighted clusters
  std::string_view cluster_header_;
  HashSource sticky_;
  HashKeys hash_;
  std::string subset_;
  const RouteStrings* clusters_ = nullptr;  // the table's: cluster names to indices
  std::vector<RouteHeaders> headers_;
  std::vector<std::string_view> upgrades_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_ENTRY_H_
