// What `run` and `check` have in common: a configuration is loaded from its file, with all that is
// wrong with it told at once.
#ifndef SLUICE_CORE_SERVER_COMMANDS_CONFIG_FILE_H_
#define SLUICE_CORE_SERVER_COMMANDS_CONFIG_FILE_H_

#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/config/loader.h"

namespace sluice {

// The configuration, or all that is wrong with it, one line a fault.
Result<LoadedConfig> LoadWholeConfig(const std::string& path);

// Nothing: what is wrong was written to stderr.
std::optional<LoadedConfig> LoadConfigOrComplain(const std::string& path);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_COMMANDS_CONFIG_FILE_H_
