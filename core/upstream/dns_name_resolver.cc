#include "core/upstream/dns_name_resolver.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/config/cluster.pb.h"

namespace sluice {
namespace {

// An IP address, with a port or without.
Result<Address> ParseServer(const std::string& text) {
  if (std::optional<Address> ip = Address::ParseIp(text)) return std::move(*ip);
  Result<Address> address = Address::Parse(text);
  if (!address || !address->is_ip()) {
    return Fail(Code::kInvalidArgument, "dns server " + text + ": expected an IP address");
  }
  return address;
}

}  // namespace

class DnsNameResolver::Question final : public Query {
 public:
  Question(Resolver& dns, const std::string& name, DnsFamily family, OnAnswer answered)
      : answered_(std::move(answered)), query_(dns, Callback::To<&Question::OnDone>(this)) {
    query_.Start(name, 0, family);
  }

 private:
  void OnDone() {
    const Result<DnsAnswer>& result = query_.result();
    if (!result) {
      answered_(Fail(result.error()));
      return;
    }
    ResolvedName resolved;
    resolved.ttl = DnsAddress::kForever;
    for (const DnsAddress& found : *result) {
      resolved.addresses.push_back(found.address);
      resolved.ttl = std::min(resolved.ttl, found.ttl);
    }
    answered_(std::move(resolved));
  }

  OnAnswer answered_;
  DnsQuery query_;
};

Result<std::unique_ptr<NameResolver>> DnsNameResolver::Create(Loop& loop,
                                                              const config::Dns& config) {
  DnsOptions options;
  if (config.timeout() > 0) options.timeout = config.timeout();
  for (const std::string& server : config.servers()) {
    Result<Address> address = ParseServer(server);
    if (!address) return Fail(std::move(address).error());
    options.servers.push_back(std::move(*address));
  }
  Result<std::unique_ptr<Resolver>> dns = Resolver::Create(loop, options);
  if (!dns) return Fail(std::move(dns).error());
  return std::unique_ptr<NameResolver>(new DnsNameResolver(std::move(*dns)));
}

std::unique_ptr<NameResolver::Query> DnsNameResolver::Resolve(const std::string& name,
                                                              DnsFamily family, OnAnswer answered) {
  return std::make_unique<Question>(*dns_, name, family, std::move(answered));
}

}  // namespace sluice
