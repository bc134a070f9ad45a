#include "core/upstream/endpoint_sources.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>

#include "core/base/strings.h"
#include "core/config/cluster.pb.h"
#include "core/config/labels.h"

namespace sluice {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

tl::unexpected<Error> Refuse(const config::Cluster& cluster, const std::string& address,
                             std::string_view why) {
  return Fail(Code::kInvalidArgument,
              StrCat({"cluster ", cluster.name(), ": endpoint ", address, ": ", why}));
}

}  // namespace

Result<EndpointSources> EndpointSources::Create(const config::Cluster& config) {
  EndpointSources result;
  result.sources_.reserve(static_cast<size_t>(config.endpoints_size()));
  for (const config::Endpoint& endpoint : config.endpoints()) {
    const std::string& text = endpoint.address();
    Source source;
    source.weight = std::max(endpoint.weight(), uint32_t{1});
    source.priority = endpoint.priority();
    source.zone = endpoint.zone();
    source.metadata = LabelPairsOf(endpoint.metadata());
    const bool is_unix = std::string_view(text).starts_with(kUnixPrefix);
    const Result<HostPort> parts = is_unix ? HostPort{} : SplitHostPort(text);
    if (!parts) return Refuse(config, text, parts.error().detail);
    if (is_unix || Address::ParseIp(parts->host)) {
      Result<Address> address = Address::Parse(text);
      if (!address) return Refuse(config, text, address.error().detail);
      source.address = std::move(*address);
    } else {
      source.name = LowerAscii(parts->host);
      source.port = parts->port;
      if (std::find(result.names_.begin(), result.names_.end(), source.name) ==
          result.names_.end()) {
        result.names_.push_back(source.name);
      }
    }
    if (!is_unix && parts->port == 0) return Refuse(config, text, "the port is 0");
    result.sources_.push_back(std::move(source));
  }
  return result;
}

std::vector<Endpoint> EndpointSources::List(const AddressesOf& addresses_of) const {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(sources_.size());
  std::unordered_map<Address, size_t> index;
  const auto add = [&](const Address& address, const Source& source) {
    const auto [place, is_new] = index.emplace(address, endpoints.size());
    if (!is_new) {
      uint32_t& weight = endpoints[place->second].weight;
      weight += std::min(source.weight, UINT32_MAX - weight);
      return;
    }
    Endpoint& endpoint = endpoints.emplace_back();
    endpoint.address = address;
    endpoint.text = address.ToString();
    endpoint.hostname = source.name;
    endpoint.weight = source.weight;
    endpoint.priority = source.priority;
    endpoint.zone = source.zone;
    endpoint.metadata = source.metadata;
  };
  for (const Source& source : sources_) {
    if (source.name.empty()) {
      add(source.address, source);
      continue;
    }
    for (Address address : addresses_of(source.name)) {
      address.set_port(source.port);
      add(address, source);
    }
  }
  return endpoints;
}

bool SameEndpoints(const std::vector<Endpoint>& a, const std::vector<Endpoint>& b) {
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(), [](const Endpoint& x, const Endpoint& y) {
        return x.address == y.address && x.weight == y.weight && x.hostname == y.hostname &&
               x.priority == y.priority && x.zone == y.zone && x.metadata == y.metadata;
      });
}

}  // namespace sluice
