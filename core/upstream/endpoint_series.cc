#include "core/upstream/endpoint_series.h"

#include "core/stats/directory.h"

namespace sluice {

StatsGroup<EndpointStats> EndpointSeries::Of(const Endpoint& endpoint) {
  const auto found = known_.find(endpoint.text);
  if (found != known_.end()) return found->second.stats;
  const bool from_dns = !endpoint.hostname.empty();
  const bool own = !from_dns || from_dns_ < kMostFromDns;
  const StatsGroup<EndpointStats> group =
      cluster_.With({{"endpoint", own ? std::string_view(endpoint.text) : "other"}})
          .Group<EndpointStats>();
  if (own) {
    const SharedWord drained =
        directory_.Word("endpoint_drained", {{"cluster", name_}, {"endpoint", endpoint.text}});
    known_.emplace(endpoint.text, Series{group, drained});
    if (from_dns) ++from_dns_;
  }
  return group;
}

bool EndpointSeries::drained(const Endpoint& endpoint) {
  Of(endpoint);
  const auto found = known_.find(endpoint.text);
  if (found != known_.end()) return found->second.drained.Load() != 0;
  return others_drained_.contains(endpoint.text);
}

void EndpointSeries::set_drained(const Endpoint& endpoint, bool drained) {
  Of(endpoint);
  const auto found = known_.find(endpoint.text);
  if (found != known_.end()) {
    found->second.drained.Store(drained ? 1 : 0);
  } else if (drained) {
    others_drained_.insert(endpoint.text);
  } else {
    others_drained_.erase(endpoint.text);
  }
}

}  // namespace sluice
