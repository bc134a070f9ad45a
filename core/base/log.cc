#include "core/base/log.h"

#include <fcntl.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/base/one_line.h"
#include "core/base/strings.h"

namespace sluice {
namespace {

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::trace, spdlog::level::debug,
                                                   spdlog::level::info,  spdlog::level::warn,
                                                   spdlog::level::err,   spdlog::level::off};
  return kLevels[static_cast<size_t>(level)];
}

std::shared_ptr<spdlog::logger> MakeLogger(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("sluice", std::move(sink));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  logger->set_level(spdlog::level::trace);  // LogEnabled has decided already
  logger->flush_on(spdlog::level::info);
  return logger;
}

// Swapped under the lock when the log is reopened; spdlog's own sinks are thread-safe.
struct Target {
  std::mutex lock;
  std::string path;
  FileOwner owner;
  std::shared_ptr<spdlog::logger> logger =
      MakeLogger(std::make_shared<spdlog::sinks::stderr_sink_mt>());

  std::shared_ptr<spdlog::logger> Get() {
    const std::lock_guard<std::mutex> guard(lock);
    return logger;
  }
};

Target& target() {
  static Target* const kTarget = new Target;  // never destroyed: threads may log until the end
  return *kTarget;
}

std::atomic<LogLevel> log_level{LogLevel::kInfo};
// The lowest of any component, so that what nobody wants costs one load.
std::atomic<LogLevel> lowest_level{LogLevel::kInfo};

// Levels of single components.
struct ComponentLevels {
  std::mutex lock;
  std::map<std::string, LogLevel, std::less<>> levels;
  std::atomic<bool> any{false};

  // Under the lock.
  void Changed() {
    LogLevel lowest = log_level.load(std::memory_order_relaxed);
    for (const auto& [component, level] : levels) lowest = std::min(lowest, level);
    any.store(!levels.empty(), std::memory_order_relaxed);
    lowest_level.store(lowest, std::memory_order_relaxed);
  }
};

ComponentLevels& component_levels() {
  static ComponentLevels* const kLevels = new ComponentLevels;  // as target()
  return *kLevels;
}

constexpr std::string_view kLevelNames[] = {"trace", "debug", "info", "warning", "error", "off"};

// Opening a FIFO that nobody reads would wait, for ever and whatever the signals. Of what else may
// be wrong the sink speaks itself.
Result<void> CheckReader(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0 && errno == ENXIO) return Fail(SystemError(StrCat({"open log ", path}), ENXIO));
  if (fd >= 0) close(fd);
  return {};
}

}  // namespace

void Log(LogLevel level, std::string_view component, std::string_view message) {
  if (!LogEnabled(level, component)) return;
  // Clients and commands have a say in messages, and no line of their own.
  target().Get()->log(SpdlogLevel(level), "{}: {}", component, OneLine(std::string(message)));
}

bool LogEnabled(LogLevel level, std::string_view component) {
  return level >= lowest_level.load(std::memory_order_relaxed) && level >= GetLogLevel(component);
}

void SetLogLevel(LogLevel level) {
  ComponentLevels& components = component_levels();
  const std::lock_guard<std::mutex> guard(components.lock);
  log_level.store(level, std::memory_order_relaxed);
  components.levels.clear();
  components.Changed();
}

void SetLogLevel(std::string_view component, std::optional<LogLevel> level) {
  ComponentLevels& components = component_levels();
  const std::lock_guard<std::mutex> guard(components.lock);
  if (level) {
    components.levels.insert_or_assign(std::string(component), *level);
  } else if (const auto found = components.levels.find(component);
             found != components.levels.end()) {
    components.levels.erase(found);
  }
  components.Changed();
}

LogLevel GetLogLevel() { return log_level.load(std::memory_order_relaxed); }

LogLevel GetLogLevel(std::string_view component) {
  ComponentLevels& components = component_levels();
  if (components.any.load(std::memory_order_relaxed)) {
    const std::lock_guard<std::mutex> guard(components.lock);
    const auto found = components.levels.find(component);
    if (found != components.levels.end()) return found->second;
  }
  return GetLogLevel();
}

const std::vector<std::string_view>& LogComponents() {
  static const std::vector<std::string_view> kComponents = {
      "access_log", "admin",   "breaker",  "config",  "dns",    "guard", "health",
      "listener",   "outlier", "overload", "restart", "server", "stats"};
  return kComponents;
}

std::string_view LogLevelName(LogLevel level) { return kLevelNames[static_cast<size_t>(level)]; }

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  for (size_t i = 0; i < std::size(kLevelNames); ++i) {
    if (kLevelNames[i] == name) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

Result<void> OpenLog(std::string_view path, const FileOwner& owner) {
  spdlog::sink_ptr sink;
  try {
    if (path.empty() || path == "/dev/stderr") {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      SLUICE_TRY(MakeFileOf(std::string(path), owner));
      SLUICE_TRY(CheckReader(std::string(path)));
      // Processes that we start, our successor, are not to have it: spdlog opens it for all.
      spdlog::file_event_handlers handlers;
      handlers.after_open = [](const spdlog::filename_t&, std::FILE* file) {
        fcntl(fileno(file), F_SETFD, FD_CLOEXEC);
      };
      sink =
          std::make_shared<spdlog::sinks::basic_file_sink_mt>(std::string(path), false, handlers);
    }
  } catch (const spdlog::spdlog_ex& error) {
    return Fail(Code::kIo, StrCat({"open log ", path, ": ", error.what()}));
  }
  const std::lock_guard<std::mutex> guard(target().lock);
  target().path = path;
  target().owner = owner;
  target().logger = MakeLogger(std::move(sink));
  return {};
}

std::string LogPath() {
  const std::lock_guard<std::mutex> guard(target().lock);
  return target().path;
}

Result<void> ReopenLog() {
  std::string path;
  FileOwner owner;
  {
    const std::lock_guard<std::mutex> guard(target().lock);
    path = target().path;
    owner = target().owner;
  }
  return OpenLog(path, owner);
}

}  // namespace sluice
