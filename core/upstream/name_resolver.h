// NameResolver: asks for the addresses of a name. A seam: the product's asks net's DNS
// (dns_name_resolver.h), tests answer by hand. Of the main thread; owned by the discovery of its
// cluster.
#ifndef SLUICE_CORE_UPSTREAM_NAME_RESOLVER_H_
#define SLUICE_CORE_UPSTREAM_NAME_RESOLVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/net/address.h"
#include "core/net/dns.h"

namespace sluice {

struct ResolvedName {
  std::vector<Address> addresses;  // of the wanted family, in any order; the ports mean nothing
  Nanos ttl = 0;                   // the shortest of theirs
};

class NameResolver {
 public:
  // A question that waits for its answer. Destroying it cancels: nothing is called any more.
  class Query {
   public:
    virtual ~Query() = default;
  };
  using OnAnswer = std::function<void(Result<ResolvedName> answer)>;

  virtual ~NameResolver() = default;
  // Calls `answered` once, never inside this call. `answered` must not destroy the query.
  virtual std::unique_ptr<Query> Resolve(const std::string& name, DnsFamily family,
                                         OnAnswer answered) = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_NAME_RESOLVER_H_
