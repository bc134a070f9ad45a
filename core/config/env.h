// ${VAR}, ${VAR:-default} and ${file:PATH} in the config's values.
#ifndef SLUICE_CORE_CONFIG_ENV_H_
#define SLUICE_CORE_CONFIG_ENV_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/config/error.h"
#include "core/config/node.h"

namespace sluice {

// The value of an environment variable, or nothing.
using EnvLookup = std::function<std::optional<std::string>(const std::string& name)>;

// That of this process.
std::optional<std::string> ProcessEnv(const std::string& name);

// A value that was not written as it is.
struct Reference {
  Mark mark;            // of the value
  std::string written;  // "${file:/run/secrets/token}"
  std::vector<std::string> variables;
  std::vector<std::string> files;  // it is a secret if there are any
};

struct References {
  std::vector<Reference> all;  // in the order of the file
  std::string values;          // of all of them, one behind the other: they change, this changes
};

// Puts variables and the contents of secret files into every scalar value below `root`; names of
// fields stay as they are. The default is taken when the variable is unset or empty; without one,
// an unset variable is an error, and so is a file that cannot be read (ReadSecretFile). "$${"
// stands for "${"; any other "$" for itself. Secrets are hidden from `problems`.
References Substitute(Node& root, const EnvLookup& env, ConfigProblems& problems);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ENV_H_
