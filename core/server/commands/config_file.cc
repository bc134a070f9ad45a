#include "core/server/commands/config_file.h"

#include <cstdio>
#include <utility>

#include "core/server/config_faults.h"
#include "core/server/registered_filters.h"

namespace sluice {

Result<LoadedConfig> LoadWholeConfig(const std::string& path) {
  LoadResult loaded = LoadConfigFile(path, ProcessEnv, RegisteredFilters());
  const std::vector<ConfigError> errors = loaded ? FindConfigFaults(*loaded) : loaded.error();
  if (errors.empty()) return std::move(*loaded);
  std::string all;
  for (const ConfigError& error : errors) all += (all.empty() ? "" : "\n") + error.Text();
  return Fail(Code::kInvalidArgument, std::move(all));
}

std::optional<LoadedConfig> LoadConfigOrComplain(const std::string& path) {
  Result<LoadedConfig> loaded = LoadWholeConfig(path);
  if (loaded) return std::move(*loaded);
  std::fprintf(stderr, "%s\n", loaded.error().detail.c_str());
  return {};
}

}  // namespace sluice
