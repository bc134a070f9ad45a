#include "core/server/log_reopening.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"

namespace sluice {

LogReopening::LogReopening(Loop& loop, Counter errors, Logs logs)
    : errors_(errors),
      logs_(std::move(logs)),
      timer_(loop, Callback::To<&LogReopening::Look>(this)) {}

void LogReopening::Start() {
  const Result<void> own = ReopenLog();
  own_failed_ = !own;
  if (!own) Log(LogLevel::kError, "server", own.error().detail);
  Look();
}

void LogReopening::Look() {
  const std::vector<FilterLog> logs = logs_();
  const auto reopening = [](const FilterLog& log) {
    return log.state == FilterLog::State::kReopening;
  };
  if (std::any_of(logs.begin(), logs.end(), reopening)) return timer_.Start(kLookEvery);
  std::set<std::string> failed;  // several filters may share one
  for (const FilterLog& log : logs) {
    if (log.state == FilterLog::State::kFailed) failed.insert(log.path);
  }
  const uint64_t errors = failed.size() + (own_failed_ ? 1 : 0);
  errors_.Inc(errors);
  if (errors == 0) return Log(LogLevel::kInfo, "server", "logs are open anew");
  const uint64_t all = LogPaths(logs).size();
  Log(LogLevel::kWarning, "server",
      StrCat({Decimal(errors), " of ", Decimal(all), all == 1 ? " log" : " logs",
              " could not be opened anew: the old file stays"}));
}

std::vector<std::string> LogPaths(const std::vector<FilterLog>& logs) {
  std::vector<std::string> paths{LogPath()};
  for (const FilterLog& log : logs) {
    if (std::find(paths.begin(), paths.end(), log.path) == paths.end()) paths.push_back(log.path);
  }
  return paths;
}

}  // namespace sluice
