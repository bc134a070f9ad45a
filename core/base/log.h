// The server's own log: one line an event, to stderr by default, for people and for journald. Not
// the access log. Any thread may log; nothing on the request path does above debug level.
#ifndef SLUICE_CORE_BASE_LOG_H_
#define SLUICE_CORE_BASE_LOG_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/append_file.h"
#include "core/base/result.h"

namespace sluice {

enum class LogLevel : uint8_t { kTrace, kDebug, kInfo, kWarning, kError, kOff };

// Writes "TIME LEVEL COMPONENT: MESSAGE" if the level is on. `component` is the room or the
// feature: "listener", "dns".
void Log(LogLevel level, std::string_view component, std::string_view message);
bool LogEnabled(LogLevel level);
void SetLogLevel(LogLevel level);

// From here on to the file at `path` ("" and "/dev/stderr": stderr); one that is made for it, now
// or by ReopenLog, is `owner`'s. The old one stays on failure.
Result<void> OpenLog(std::string_view path, const FileOwner& owner = {});
// What was given to OpenLog.
std::string LogPath();
// Opens the same path again, after a rotation.
Result<void> ReopenLog();

}  // namespace sluice

#endif  // SLUICE_CORE_BASE_LOG_H_
