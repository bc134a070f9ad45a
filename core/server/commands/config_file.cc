#include "core/server/commands/config_file.h"

#include <cstdio>
#include <utility>

#include "core/server/config_faults.h"
#include "core/server/registered_filters.h"

namespace sluice {

std::optional<LoadedConfig> LoadConfigOrComplain(const std::string& path) {
  LoadResult loaded = LoadConfigFile(path, ProcessEnv, RegisteredFilters());
  const std::vector<ConfigError> errors = loaded ? FindConfigFaults(*loaded) : loaded.error();
  for (const ConfigError& error : errors) std::fprintf(stderr, "%s\n", error.Text().c_str());
  if (!errors.empty()) return {};
  return std::move(*loaded);
}

}  // namespace sluice
