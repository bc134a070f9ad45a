// RouteCompiler: makes a RouteTable of a listener's configuration. Used once, on the main thread.
#ifndef SLUICE_CORE_CONFIG_ROUTE_COMPILER_H_
#define SLUICE_CORE_CONFIG_ROUTE_COMPILER_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/base/result.h"
#include "core/config/route_table.h"

namespace google::protobuf {
template <typename T>
class RepeatedPtrField;
}

namespace sluice {
namespace config {
class WeightedClusters;
}  // namespace config

class RouteCompiler {
 public:
  RouteCompiler(const config::Listener& listener, const config::Config& config)
      : listener_(listener), config_(config) {}

  // Errors begin with the field: "hosts[1].routes[0].match.regex: ...". To be called once.
  Result<std::unique_ptr<const RouteTable>> Run();

 private:
  using Routes = google::protobuf::RepeatedPtrField<config::Route>;

  // Adds a virtual host to the table; `message` is nullptr for the listener's own routes.
  Result<void> AddHost(const config::Host* message, std::string_view name, const Routes& routes);
  Result<void> AddDomains(const config::Host& message, uint32_t index);

  Result<Route> CompileRoute(const config::Route& message, const VirtualHost& host);
  Result<void> SetAction(const config::Route& message, Route& route);
  Result<void> SetWeights(const config::WeightedClusters& message, Route& route);
  Result<void> SetRedirect(const config::Route& message, Route& route);
  Result<void> SetRewrite(const config::Route& message, Route& route);
  Result<void> SetMirror(const config::Route& message, Route& route);
  void SetHeaders(const config::Route& message, Route& route);
  Result<void> SetRetries(const config::Route& message, Route& route);
  void SetTerms(const config::Route& message, Route& route);

  // Its index in config.clusters.
  Result<uint32_t> FindCluster(std::string_view field, std::string_view name) const;

  const config::Listener& listener_;
  const config::Config& config_;
  std::unique_ptr<RouteTable> table_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_COMPILER_H_
