// What is wrong with a configuration that no schema can say: what filters, header changes and
// routes refuse when they are compiled, and what this machine lacks: users, folders for logs. Main
// thread.
#ifndef SLUICE_CORE_SERVER_CONFIG_FAULTS_H_
#define SLUICE_CORE_SERVER_CONFIG_FAULTS_H_

#include <vector>

#include "core/config/loader.h"

namespace sluice {

// All of it, with its places, in the order of the file. Everything is compiled, and nothing opened
// or kept.
std::vector<ConfigError> FindConfigFaults(const LoadedConfig& loaded);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONFIG_FAULTS_H_
