#include "core/server/configuration/last_good.h"

#include <utility>

#include "core/base/strings.h"
#include "core/config/history.h"
#include "core/server/configuration/state_folder.h"
#include "core/server/configuration/whole_config.h"

namespace sluice {

Result<LastGood> FindLastGood(const std::string& state_folder, const std::string& file) {
  if (state_folder.empty()) {
    return Fail(Code::kNotFound, "where is the history? --state says it");
  }
  const std::string folder = HistoryFolderOf(state_folder);
  const ConfigHistory history = ConfigHistory::View(folder);
  LastGood good;
  const std::vector<uint64_t> versions = history.Versions();
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    const std::string name = StrCat({"version ", Decimal(*version)});
    const Result<ConfigVersion> entry = history.Get(*version);
    if (!entry) {
      good.skipped.push_back(StrCat({name, ": ", entry.error().detail}));
      continue;
    }
    if (entry->file != file) continue;
    Result<LoadedConfig> loaded = LoadWholeText(entry->text, entry->format, name);
    if (!loaded) {
      good.skipped.push_back(loaded.error().detail);
      continue;
    }
    good.loaded = std::move(*loaded);
    good.version = *version;
    return good;
  }
  std::string why = StrCat({"no good configuration of ", file, " in ", folder});
  for (const std::string& each : good.skipped) why += StrCat({"\n", each});
  return Fail(Code::kNotFound, std::move(why));
}

}  // namespace sluice
