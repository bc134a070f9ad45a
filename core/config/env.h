// ${VAR} and ${VAR:-default} in the config's values.
#ifndef SLUICE_CORE_CONFIG_ENV_H_
#define SLUICE_CORE_CONFIG_ENV_H_

#include <functional>
#include <optional>
#include <string>

#include "core/config/error.h"
#include "core/config/node.h"

namespace sluice {

// The value of an environment variable, or nothing.
using EnvLookup = std::function<std::optional<std::string>(const std::string& name)>;

// That of this process.
std::optional<std::string> ProcessEnv(const std::string& name);

// Puts variables into every scalar value below `root`; names of fields stay as they are. The
// default is taken when the variable is unset or empty; without one, an unset variable is an error.
// "$${" stands for "${"; any other "$" for itself.
void SubstituteEnv(Node& root, const EnvLookup& env, ConfigProblems& problems);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ENV_H_
