#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/config/config.pb.h"
#include "core/server/commands/command.h"
#include "core/server/configuration/config_desk.h"
#include "core/server/configuration/state_folder.h"
#include "core/server/configuration/whole_config.h"
#include "core/server/generation.h"
#include "core/server/process.h"
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
    app.add_flag("--force", force_,
                 "Take over also from a process that still drains for the restart before");
    app.add_flag("--supervise", supervise_,
                 "Run under a small parent that keeps its pid over restarts; so does pid 1");
  }

  int Run() override {
    if (supervise_ || getpid() == 1) return Supervise();
    std::optional<LoadedConfig> loaded = LoadConfigOrComplain(file_);
    if (!loaded) return 1;
    const config::Config& config = *loaded->config;
    if (const Result<void> log = SetUpLog(config); !log) return FailCommand(log.error().detail);
    Complain(*loaded);
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

  static void Complain(const LoadedConfig& loaded) {
    for (const ConfigError& warning : loaded.warnings) {
      Log(LogLevel::kWarning, "config", warning.Text());
    }
  }

  Result<void> Start(Server& server, LoadedConfig loaded) const {
    const config::Config& config = *loaded.config;
    ConfigDeskOptions options;
    options.file = std::filesystem::absolute(file_).lexically_normal().string();
    options.state_folder = StateFolderOf(config.state().path(), config.id());
    options.keep = config.state().keep();
    options.owner = FindIdentity(config.user(), config.group()).value_or(FileOwner{});
    auto desk = std::make_unique<ConfigDesk>(server.loop(), server.load_context().stats, server,
                                             std::move(options));
    desk->Begin(loaded, {ConfigSource::kStart, UserName(geteuid()), ""});
    Result<std::unique_ptr<Generation>> generation = server.Build(std::move(loaded));
    if (!generation) return Fail(std::move(generation).error());
    return server.Start(std::move(*generation), std::move(desk));
  }

  std::string file_;
  bool watch_ = false;
  bool force_ = false;
  bool supervise_ = false;
};

}  // namespace

std::unique_ptr<Command> NewRunCommand() { return std::make_unique<RunCommand>(); }

}  // namespace sluice
