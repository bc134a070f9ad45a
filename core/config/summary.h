// What a configuration would run, for people: the answer of `sluice check`.
#ifndef SLUICE_CORE_CONFIG_SUMMARY_H_
#define SLUICE_CORE_CONFIG_SUMMARY_H_

#include <string>
#include <vector>

#include "core/config/error.h"

namespace sluice {

namespace config {
class Config;
}  // namespace config

// Several lines, the last one ended: listeners with their filters in order and the number of
// routes, clusters with their endpoints, then the warnings.
std::string SummaryText(const config::Config& config, const std::vector<ConfigError>& warnings);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_SUMMARY_H_
