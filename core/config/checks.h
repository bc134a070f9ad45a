// What one field alone cannot tell: names that must be different or must exist, addresses that
// overlap, routes that contradict themselves or never match. Main thread.
#ifndef SLUICE_CORE_CONFIG_CHECKS_H_
#define SLUICE_CORE_CONFIG_CHECKS_H_

#include "core/config/error.h"
#include "core/config/node.h"

namespace sluice {

namespace config {
class Config;
}  // namespace config

// `root` is what `config` was read from. Adds errors, and warnings for shadowed routes.
void CheckConfig(const Node& root, const config::Config& config, ConfigProblems& problems);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_CHECKS_H_
