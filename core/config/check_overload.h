// What a schema cannot say of bulkheads, limits and the overload steps. Part of CheckConfig; of the
// thread that loads.
#ifndef SLUICE_CORE_CONFIG_CHECK_OVERLOAD_H_
#define SLUICE_CORE_CONFIG_CHECK_OVERLOAD_H_

#include <functional>
#include <string>

namespace sluice {
namespace config {
class Bulkhead;
class ClusterLimits;
class Overload;
}  // namespace config

using OverloadFault = std::function<void(const std::string& path, std::string message)>;

// `of_route`: or else of a cluster.
void CheckBulkhead(const config::Bulkhead& bulkhead, bool of_route, const std::string& path,
                   const OverloadFault& error);
void CheckLimits(const config::ClusterLimits& limits, const std::string& path,
                 const OverloadFault& error);
void CheckOverload(const config::Overload& overload, const std::string& path,
                   const OverloadFault& error);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_CHECK_OVERLOAD_H_
