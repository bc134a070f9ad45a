#include "core/server/admin/logging_page.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/server/admin/show.h"

namespace sluice {
namespace {

AdminReply ShowLevels(const AdminRequest& request) {
  nlohmann::ordered_json json = {{"level", LogLevelName(GetLogLevel())}};
  for (const std::string_view component : LogComponents()) {
    json["components"][std::string(component)] = LogLevelName(GetLogLevel(component));
  }
  return AdminShow(request, json);
}

// All changes or none.
AdminAnswer ChangeLevels(const AdminRequest& request) {
  constexpr std::string_view kLevels = "trace, debug, info, warning, error, off";
  const auto& components = LogComponents();
  std::vector<std::pair<std::string, std::optional<LogLevel>>> changes;
  for (const auto& [name, value] : request.query.pairs()) {
    if (name == "format") continue;
    const std::optional<LogLevel> level = ParseLogLevel(value);
    const bool all = name == "level";
    if (!all && std::find(components.begin(), components.end(), name) == components.end()) {
      return AdminError(400,
                        StrCat({"there is no component \"", name, "\": GET /logging lists them"}));
    }
    if (!level && (all || value != "default")) {
      return AdminError(400, StrCat({"expected one of ", kLevels, all ? "" : ", default",
                                     ", got \"", value, "\""}));
    }
    changes.emplace_back(name, level);
  }
  if (changes.empty()) {
    return AdminError(400, "say what: ?level=debug for all, or ?COMPONENT=debug for one");
  }
  std::string told;
  for (const auto& [name, level] : changes) {
    if (name == "level") {
      SetLogLevel(*level);
    } else {
      SetLogLevel(name, level);
    }
    told +=
        StrCat({told.empty() ? "" : ", ", name, " is ", level ? LogLevelName(*level) : "default"});
  }
  return AdminDone(request, told);
}

}  // namespace

void AddLogging(AdminTable& table) {
  table.Add({"/logging", AdminKind::kPage, "the levels of the server's own log", "?format=json",
             ShowLevels});
  table.Add({"/logging", AdminKind::kAction, "changes them until the process ends",
             "?level=LEVEL, ?COMPONENT=LEVEL", ChangeLevels});
}

}  // namespace sluice
