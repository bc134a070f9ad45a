#include "core/server/configuration/whole_config.h"

#include <utility>

#include "core/server/config_faults.h"
#include "core/server/registered_filters.h"

namespace sluice {
namespace {

Result<LoadedConfig> Whole(LoadResult loaded) {
  const std::vector<ConfigError> errors = loaded ? FindConfigFaults(*loaded) : loaded.error();
  if (errors.empty()) return std::move(*loaded);
  std::string all;
  for (const ConfigError& error : errors) all += (all.empty() ? "" : "\n") + error.Text();
  return Fail(Code::kInvalidArgument, std::move(all));
}

}  // namespace

Result<LoadedConfig> LoadWholeConfig(const std::string& path) {
  return Whole(LoadConfigFile(path, ProcessEnv, RegisteredFilters()));
}

Result<LoadedConfig> LoadWholeText(std::string_view text, ConfigFormat format, std::string name) {
  return Whole(LoadConfigText(text, format, std::move(name), ProcessEnv, RegisteredFilters()));
}

}  // namespace sluice
