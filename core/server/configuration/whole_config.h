// A configuration with everything checked that can be checked before it is applied. Main thread;
// blocks on files.
#ifndef SLUICE_CORE_SERVER_CONFIGURATION_WHOLE_CONFIG_H_
#define SLUICE_CORE_SERVER_CONFIGURATION_WHOLE_CONFIG_H_

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/config/loader.h"

namespace sluice {

// The configuration, or all that is wrong with it, one line a fault; no secret is in it.
Result<LoadedConfig> LoadWholeConfig(const std::string& path);
// `name` is for messages.
Result<LoadedConfig> LoadWholeText(std::string_view text, ConfigFormat format, std::string name);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONFIGURATION_WHOLE_CONFIG_H_
