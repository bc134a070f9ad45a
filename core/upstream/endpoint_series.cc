#include "core/upstream/endpoint_series.h"

namespace sluice {

StatsGroup<EndpointStats> EndpointSeries::Of(const Endpoint& endpoint) {
  const auto found = known_.find(endpoint.text);
  if (found != known_.end()) return found->second;
  const bool from_dns = !endpoint.hostname.empty();
  const bool own = !from_dns || from_dns_ < kMostFromDns;
  const StatsGroup<EndpointStats> group =
      cluster_.With({{"endpoint", own ? std::string_view(endpoint.text) : "other"}})
          .Group<EndpointStats>();
  if (own) {
    known_.emplace(endpoint.text, group);
    if (from_dns) ++from_dns_;
  }
  return group;
}

}  // namespace sluice
