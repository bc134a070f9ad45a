#include "core/upstream/cluster_discovery.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace sluice {

ClusterDiscovery::ClusterDiscovery(Loop& loop, std::unique_ptr<NameResolver> resolver,
                                   DiscoverySettings settings, DiscoveryStats& stats,
                                   const std::vector<std::string>& names, Callback changed)
    : settings_(settings), resolver_(std::move(resolver)) {
  for (const std::string& name : names) {
    watches_.push_back(
        std::make_unique<NameWatch>(loop, *resolver_, settings_, stats, name, changed));
  }
}

void ClusterDiscovery::Start() {
  for (const std::unique_ptr<NameWatch>& watch : watches_) watch->Start();
}

bool ClusterDiscovery::warm() const {
  return std::all_of(watches_.begin(), watches_.end(),
                     [](const auto& watch) { return watch->answered(); });
}

const std::vector<Address>& ClusterDiscovery::AddressesOf(std::string_view name) const {
  const auto found = std::find_if(watches_.begin(), watches_.end(),
                                  [&](const auto& watch) { return watch->name() == name; });
  CHECK(found != watches_.end());
  return (*found)->addresses();
}

}  // namespace sluice
