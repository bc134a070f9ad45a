// What must hold of active checks, beyond what each field says by itself. Main thread.
#ifndef SLUICE_CORE_CONFIG_CHECK_HEALTH_H_
#define SLUICE_CORE_CONFIG_CHECK_HEALTH_H_

#include <functional>
#include <string>

namespace sluice {

namespace config {
class Cluster;
}

// REQUIRES: the cluster has them. `path` is where they stand; `is_written` says whether the file
// has something at a path; `error` is told what is wrong.
void CheckHealth(const config::Cluster& cluster, const std::string& path,
                 const std::function<bool(const std::string& path)>& is_written,
                 const std::function<void(const std::string& path, std::string message)>& error);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_CHECK_HEALTH_H_
