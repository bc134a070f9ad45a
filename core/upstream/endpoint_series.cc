#include "core/upstream/endpoint_series.h"

namespace sluice {

bool EndpointSeries::HasOwn(const Endpoint& endpoint) {
  if (endpoint.hostname.empty() || from_dns_.count(endpoint.text) > 0) return true;
  if (from_dns_.size() == kMostFromDns) return false;
  from_dns_.insert(endpoint.text);
  return true;
}

StatsGroup<EndpointStats> EndpointSeries::Of(const Endpoint& endpoint) {
  const std::string_view name = HasOwn(endpoint) ? std::string_view(endpoint.text) : "other";
  return cluster_.With({{"endpoint", name}}).Group<EndpointStats>();
}

}  // namespace sluice
