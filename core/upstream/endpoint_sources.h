// EndpointSources: the endpoints of a cluster as its configuration writes them, addresses and
// names, and the list of endpoints that follows from them and the names' current addresses. Plain
// values.
#ifndef SLUICE_CORE_UPSTREAM_ENDPOINT_SOURCES_H_
#define SLUICE_CORE_UPSTREAM_ENDPOINT_SOURCES_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/upstream/endpoint.h"

namespace sluice {

namespace config {
class Cluster;
}

class EndpointSources {
 public:
  using AddressesOf = std::function<const std::vector<Address>&(std::string_view name)>;

  // An error names the endpoint that is neither an address nor a name with a port.
  static Result<EndpointSources> Create(const config::Cluster& config);

  // Distinct, in lower case.
  const std::vector<std::string>& names() const { return names_; }

  // In the order of the config, a name's addresses in the order that `addresses_of` gives them,
  // each with the weight of its line. An address that several lines give is one endpoint with the
  // sum of their weights, so that each line keeps its share, and the rest of the first. Without
  // what the cluster gives them.
  std::vector<Endpoint> List(const AddressesOf& addresses_of) const;

 private:
  struct Source {
    Address address;   // of a name: none
    std::string name;  // of an address: none
    uint16_t port = 0;
    uint32_t weight = 1;
    uint32_t priority = 0;
    std::string zone;
    LabelPairs metadata;
  };

  EndpointSources() = default;

  std::vector<Source> sources_;
  std::vector<std::string> names_;
};

// The same endpoints in the same order, as far as List() says?
bool SameEndpoints(const std::vector<Endpoint>& a, const std::vector<Endpoint>& b);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_ENDPOINT_SOURCES_H_
