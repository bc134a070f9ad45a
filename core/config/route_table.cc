#include "core/config/route_table.h"

#include <utility>

#include "core/base/strings.h"
#include "core/config/listener.pb.h"
#include "core/config/route_compiler.h"
#include "core/config/route_hosts.h"
#include "core/config/route_matcher.h"
#include "core/config/route_strings.h"

namespace sluice {

VirtualHost::VirtualHost() = default;
VirtualHost::~VirtualHost() = default;
RouteTable::RouteTable() = default;
RouteTable::~RouteTable() = default;

Result<std::unique_ptr<const RouteTable>> RouteTable::Compile(const config::Listener& listener,
                                                              const config::Config& config) {
  auto table = RouteCompiler(listener, config).Run();
  if (table) return table;
  Error error = std::move(table).error();
  error.detail = StrCat({"listener \"", listener.name(), "\": ", error.detail});
  return Fail(std::move(error));
}

const Route* VirtualHost::Match(const RouteInput& input, Random& random) const {
  const uint32_t order = matcher_->Match(input, random);
  return order == RouteMatcher::kNone ? nullptr : &routes_[order];
}

const VirtualHost* RouteTable::FindHost(std::string_view authority) const {
  if (domains_ == nullptr) return hosts_.front().get();
  const uint32_t index = domains_->Find(authority);
  return index == RouteHosts::kNone ? nullptr : hosts_[index].get();
}

}  // namespace sluice
