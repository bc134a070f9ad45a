// DnsNameResolver: the NameResolver of the product: net's DNS, with a channel of its own.
#ifndef SLUICE_CORE_UPSTREAM_DNS_NAME_RESOLVER_H_
#define SLUICE_CORE_UPSTREAM_DNS_NAME_RESOLVER_H_

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/upstream/name_resolver.h"

namespace sluice {

namespace config {
class Dns;
}

class DnsNameResolver final : public NameResolver {
 public:
  // `loop` is the main thread's, and outlives it. Errors: kInvalidArgument for a server that is no
  // address.
  static Result<std::unique_ptr<NameResolver>> Create(Loop& loop, const config::Dns& config);

  std::unique_ptr<Query> Resolve(const std::string& name, DnsFamily family,
                                 OnAnswer answered) override;

 private:
  class Question;

  explicit DnsNameResolver(std::unique_ptr<Resolver> dns) : dns_(std::move(dns)) {}

  std::unique_ptr<Resolver> dns_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_DNS_NAME_RESOLVER_H_
