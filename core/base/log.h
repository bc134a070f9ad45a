// The server's own log: one line an event, to stderr by default, for people and for journald. Not
// the access log. Any thread may log; nothing on the request path does above debug level.
#ifndef SLUICE_CORE_BASE_LOG_H_
#define SLUICE_CORE_BASE_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/append_file.h"
#include "core/base/result.h"

namespace sluice {

enum class LogLevel : uint8_t { kTrace, kDebug, kInfo, kWarning, kError, kOff };

// Writes "TIME LEVEL COMPONENT: MESSAGE" if the level is on. `component` is the room or the
// feature: "listener", "dns"; one of LogComponents().
void Log(LogLevel level, std::string_view component, std::string_view message);
bool LogEnabled(LogLevel level, std::string_view component);

// Of everything: levels of single components are gone.
void SetLogLevel(LogLevel level);
// Of one component; nothing: as everything.
void SetLogLevel(std::string_view component, std::optional<LogLevel> level);
LogLevel GetLogLevel();
LogLevel GetLogLevel(std::string_view component);
// All that there are, sorted.
const std::vector<std::string_view>& LogComponents();

// "debug", as the configuration writes it.
std::string_view LogLevelName(LogLevel level);
std::optional<LogLevel> ParseLogLevel(std::string_view name);

// From here on to the file at `path` ("" and "/dev/stderr": stderr); one that is made for it, now
// or by ReopenLog, is `owner`'s. The old one stays on failure.
Result<void> OpenLog(std::string_view path, const FileOwner& owner = {});
// What was given to OpenLog.
std::string LogPath();
// Opens the same path again, after a rotation.
Result<void> ReopenLog();

}  // namespace sluice

#endif  // SLUICE_CORE_BASE_LOG_H_
