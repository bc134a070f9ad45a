#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <utility>

#include "core/base/log.h"
#include "core/config/config.pb.h"
#include "core/config/snapshot.h"
#include "core/server/commands/command.h"
#include "core/server/commands/config_file.h"
#include "core/server/generation.h"
#include "core/server/process.h"
#include "core/server/server.h"
#include "core/stats/stats_file.h"

namespace sluice {
namespace {

ServerOptions OptionsOf(const config::Config& config) {
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
  return options;
}

Result<void> SetUpLog(const config::Config& config) {
  SetLogLevel(static_cast<LogLevel>(config.log().level()));
  const Result<FileOwner> owner = FindIdentity(config.user(), config.group());
  if (!owner) return Fail(owner.error());
  return OpenLog(config.log().path(), *owner);
}

class RunCommand final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("-c,--config", file_, "The configuration: YAML, JSON or TOML")->required();
  }

  int Run() override {
    std::optional<LoadedConfig> loaded = LoadConfigOrComplain(file_);
    if (!loaded) return 1;
    const config::Config& config = *loaded->config;
    if (const Result<void> log = SetUpLog(config); !log) return FailCommand(log.error().detail);
    for (const ConfigError& warning : loaded->warnings) {
      Log(LogLevel::kWarning, "config", warning.Text());
    }
    Result<std::unique_ptr<Server>> server = Server::Create(OptionsOf(config));
    if (!server) return FailCommand(server.error().detail);
    auto snapshot = std::make_shared<const Snapshot>(std::move(*loaded), 1);
    Result<std::unique_ptr<Generation>> generation =
        Generation::Build(std::move(snapshot), (*server)->loop(), (*server)->load_context());
    if (!generation) return FailCommand(file_ + ": " + generation.error().detail);
    if (const Result<void> started = (*server)->Start(std::move(*generation)); !started) {
      return FailCommand(started.error().detail);
    }
    return (*server)->Run();
  }

 private:
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> NewRunCommand() { return std::make_unique<RunCommand>(); }

}  // namespace sluice
