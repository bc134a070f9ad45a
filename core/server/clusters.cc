#include "core/server/clusters.h"

#include <algorithm>
#include <utility>

#include "core/config/cluster.pb.h"
#include "core/upstream/name_resolver.h"

namespace sluice {

Clusters::Clusters(Loop& loop, StatsDirectory& stats, BreakerBoard& breakers,
                   std::function<void(const Cluster&)> changed)
    : loop_(loop), stats_(stats), breakers_(breakers), changed_(std::move(changed)) {}

Clusters::~Clusters() = default;

Result<Cluster*> Clusters::Get(const config::Cluster& config) {
  // No map is in the schema: the same message gives the same bytes.
  std::string bytes = config.SerializeAsString();
  for (const Entry& entry : entries_) {
    if (entry.config == bytes) return entry.cluster.get();
  }
  Result<std::unique_ptr<Cluster>> cluster =
      Cluster::Create(config, loop_, stats_, nullptr, &breakers_);
  if (!cluster) return Fail(std::move(cluster).error());
  (*cluster)->SetShown(false);  // until it is used
  entries_.push_back({std::move(bytes), std::move(*cluster), false});
  return entries_.back().cluster.get();
}

bool Clusters::SetDrained(std::string_view cluster, std::string_view address, bool drained) {
  bool found = false;
  for (const Entry& entry : entries_) {
    if (entry.cluster->settings().name != cluster) continue;
    found = entry.cluster->SetFault(address, EndpointFault::kDrained, drained) || found;
  }
  return found;
}

void Clusters::Start(const std::vector<Cluster*>& newest) {
  for (Entry& entry : entries_) {
    Cluster* const cluster = entry.cluster.get();
    if (!std::exchange(entry.started, true)) {
      cluster->Start([this, cluster] { changed_(*cluster); });
    }
    const bool is_newest = std::find(newest.begin(), newest.end(), cluster) != newest.end();
    cluster->SetChecking(is_newest);
    cluster->SetShown(is_newest);
  }
}

void Clusters::Sweep(const std::function<bool(const Cluster&)>& used) {
  std::erase_if(entries_, [&used](const Entry& entry) { return !used(*entry.cluster); });
}

}  // namespace sluice
