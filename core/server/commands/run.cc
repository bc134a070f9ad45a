#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/server/commands/ask_process.h"
#include "core/server/commands/command.h"
#include "core/server/configuration/config_desk.h"
#include "core/server/configuration/last_good.h"
#include "core/server/configuration/state_folder.h"
#include "core/server/configuration/whole_config.h"
#include "core/server/generation.h"
#include "core/server/process.h"
#include "core/server/restart/hot_restart.h"
#include "core/server/server.h"
#include "core/server/supervisor.h"
#include "core/stats/stats_file.h"

namespace sluice {
namespace {

Result<void> SetUpLog(const config::Config& config) {
  SetLogLevel(static_cast<LogLevel>(config.log().level()));
  const Result<FileOwner> owner = FindIdentity(config.user(), config.group());
  if (!owner) return Fail(owner.error());
  return OpenLog(config.log().path(), *owner);
}

// The path that we were started by, so that a restart finds the binary that stands there then.
std::string OwnPath() {
  std::error_code error;
  std::ifstream command_line("/proc/self/cmdline");
  std::string first;
  std::getline(command_line, first, '\0');
  if (first.find('/') != std::string::npos) {
    return std::filesystem::absolute(first, error).lexically_normal().string();
  }
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

class RunCommand final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("-c,--config", file_, "The configuration: YAML, JSON or TOML")->required();
    app.add_flag("--watch", watch_,
                 "Load the configuration again when its file changes, or a secret file it names");
    app.add_flag("--last-good", last_good_,
                 "If the configuration is bad, start from the newest good one of the history");
    app.add_option("--state", state_,
                   "The state folder that --last-good looks into, if it is not the default");
    app.add_flag("--force", force_,
                 "Take over also from a process that still drains for the restart before");
    app.add_flag("--supervise", supervise_,
                 "Run under a small parent that keeps its pid over restarts; so does pid 1");
  }

  int Run() override {
    if (supervise_ || getpid() == 1) return Supervise();
    // Until the server listens to them: there is nothing to load, open or replace yet, and their
    // default is the end.
    for (const int each : {SIGHUP, SIGUSR1, SIGUSR2}) signal(each, SIG_IGN);
    std::optional<LoadedConfig> loaded = LoadFile();
    if (!loaded) loaded = LoadLastGood();
    if (!loaded) return 1;
    const config::Config& config = *loaded->config;
    if (const Result<void> log = SetUpLog(config); !log) {
      HotRestart::SayStartFailed(log.error().detail);
      return FailCommand(log.error().detail);
    }
    Complain(*loaded);
    ComplainOfLastGood();
    Result<std::unique_ptr<Server>> server = Server::Create(OptionsOf(config));
    if (!server) return FailCommand(server.error().detail);
    const Result<void> started = Start(**server, std::move(*loaded));
    if (!started) {
      (*server)->GiveUp(started.error().detail);
      return FailCommand(started.error().detail);
    }
    return (*server)->Run();
  }

 private:
  std::vector<std::string> CommandLine() const {
    std::vector<std::string> command = {OwnPath(), "run", "--config",
                                        std::filesystem::absolute(file_).string()};
    if (watch_) command.emplace_back("--watch");
    if (last_good_) command.emplace_back("--last-good");
    if (!state_.empty()) {
      command.insert(command.end(), {"--state", std::filesystem::absolute(state_).string()});
    }
    return command;
  }

  int Supervise() const {
    std::vector<std::string> command = CommandLine();
    if (force_) command.emplace_back("--force");
    const Result<int> ended = Supervisor::Run(command);
    return ended ? *ended : FailCommand(ended.error().detail);
  }

  ServerOptions OptionsOf(const config::Config& config) const {
    ServerOptions options;
    options.id = config.id();
    options.workers = config.workers();
    options.drain_timeout = config.drain_timeout();
    options.user = config.user();
    options.group = config.group();
    options.max_connections = config.max_connections();
    options.stats_path =
        config.stats().path().empty() ? StatsFile::DefaultPath(config.id()) : config.stats().path();
    options.stats_size = config.stats().size();
    options.force = force_;
    options.watch = watch_;
    options.restart.socket = RestartSocketOf(options.stats_path);
    options.restart.command = CommandLine();
    options.restart.ready_timeout = config.ready_timeout();
    return options;
  }

  std::string AbsoluteFile() const {
    return std::filesystem::absolute(file_).lexically_normal().string();
  }

  // Nothing: what is wrong was told to whoever started us, and is kept.
  std::optional<LoadedConfig> LoadFile() {
    Result<LoadedConfig> loaded = LoadWholeConfig(file_);
    if (loaded) return std::move(*loaded);
    faults_ = std::move(loaded.error().detail);
    std::fprintf(stderr, "%s\n", faults_.c_str());
    HotRestart::SayStartFailed(faults_);
    return std::nullopt;
  }

  // Nothing: what is wrong was written to stderr. Not for a restart: whoever asked for it is to
  // hear what is wrong with the file, and the process that serves goes on.
  std::optional<LoadedConfig> LoadLastGood() {
    if (!last_good_ || std::getenv(HotRestart::kVariable) != nullptr) return std::nullopt;
    Result<LastGood> good = FindLastGood(StateFolderOf(state_, Instance().id), AbsoluteFile());
    if (!good) {
      FailCommand(good.error().detail);
      return std::nullopt;
    }
    last_good_version_ = good->version;
    skipped_ = std::move(good->skipped);
    return std::move(good->loaded);
  }

  void ComplainOfLastGood() const {
    if (last_good_version_ == 0) return;
    const auto warn = [](std::string_view text) {
      for (std::string_view rest = text; !rest.empty();) {
        const size_t end = rest.find('\n');
        Log(LogLevel::kWarning, "config", rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      }
    };
    warn(faults_);
    for (const std::string& each : skipped_) warn(each);
    warn(StrCat({AbsoluteFile(), " is bad: started from the last good configuration, version ",
                 Decimal(last_good_version_)}));
  }

  static void Complain(const LoadedConfig& loaded) {
    for (const ConfigError& warning : loaded.warnings) {
      Log(LogLevel::kWarning, "config", warning.Text());
    }
  }

  Result<void> Start(Server& server, LoadedConfig loaded) const {
    const config::Config& config = *loaded.config;
    ConfigDeskOptions options;
    options.file = AbsoluteFile();
    options.state_folder = StateFolderOf(config.state().path(), config.id());
    options.keep = config.state().keep();
    options.owner = FindIdentity(config.user(), config.group()).value_or(FileOwner{});
    auto desk = std::make_unique<ConfigDesk>(server.loop(), server.load_context().stats, server,
                                             std::move(options));
    desk->Begin(loaded, {ConfigSource::kStart, UserName(geteuid()), ""}, last_good_version_);
    Result<std::unique_ptr<Generation>> generation = server.Build(std::move(loaded));
    if (!generation) return Fail(std::move(generation).error());
    return server.Start(std::move(*generation), std::move(desk));
  }

  std::string file_;
  std::string state_;
  bool last_good_ = false;
  uint64_t last_good_version_ = 0;  // that we start from; 0: from the file
  std::string faults_;              // of the given file
  std::vector<std::string> skipped_;
  bool watch_ = false;
  bool force_ = false;
  bool supervise_ = false;
};

}  // namespace

std::unique_ptr<Command> NewRunCommand() { return std::make_unique<RunCommand>(); }

}  // namespace sluice
