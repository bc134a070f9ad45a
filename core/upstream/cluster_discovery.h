// ClusterDiscovery: the names among a cluster's endpoints and their current addresses. Owned by its
// cluster; of the main thread.
#ifndef SLUICE_CORE_UPSTREAM_CLUSTER_DISCOVERY_H_
#define SLUICE_CORE_UPSTREAM_CLUSTER_DISCOVERY_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/upstream/name_resolver.h"
#include "core/upstream/name_watch.h"

namespace sluice {

class ClusterDiscovery {
 public:
  // `names` are distinct. `loop` and `stats` are borrowed. `changed` is called after each change of
  // AddressesOf() or warm(); it must not destroy the discovery.
  ClusterDiscovery(Loop& loop, std::unique_ptr<NameResolver> resolver, DiscoverySettings settings,
                   DiscoveryStats& stats, const std::vector<std::string>& names, Callback changed);

  void Start();
  // Has every name been answered once, well or badly?
  bool warm() const;
  // Empty until there is a good answer. REQUIRES: one of the names.
  const std::vector<Address>& AddressesOf(std::string_view name) const;

 private:
  const DiscoverySettings settings_;
  std::unique_ptr<NameResolver> resolver_;
  std::vector<std::unique_ptr<NameWatch>> watches_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_CLUSTER_DISCOVERY_H_
