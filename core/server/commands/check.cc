#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/config/config.pb.h"
#include "core/config/snapshot.h"
#include "core/config/summary.h"
#include "core/event/loop.h"
#include "core/server/commands/command.h"
#include "core/server/commands/config_file.h"
#include "core/server/generation.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

// Compiles everything as `run` would, but opens and binds nothing.
Result<void> BuildDry(std::shared_ptr<const Snapshot> snapshot) {
  SystemClock clock;
  Result<std::unique_ptr<Loop>> loop = Loop::Create(clock);
  if (!loop) return Fail(std::move(loop).error());
  Result<std::unique_ptr<StatsSegment>> segment = StatsSegment::Create(StatsLimits{});
  if (!segment) return Fail(std::move(segment).error());
  StatsDirectory directory(**segment);
  const ServerStatus status;
  const LoadContext context{directory, clock, status, "", 1, {}, true};
  Result<std::unique_ptr<Generation>> generation =
      Generation::Build(std::move(snapshot), **loop, context);
  if (!generation) return Fail(std::move(generation).error());
  return {};
}

class CheckCommand final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("-c,--config", file_, "The configuration: YAML, JSON or TOML")->required();
  }

  int Run() override {
    std::optional<LoadedConfig> loaded = LoadConfigOrComplain(file_);
    if (!loaded) return 1;
    const auto snapshot = std::make_shared<const Snapshot>(std::move(*loaded), 1);
    if (const Result<void> built = BuildDry(snapshot); !built) {
      return FailCommand(file_ + ": " + built.error().detail);
    }
    std::fputs(SummaryText(snapshot->config(), snapshot->warnings()).c_str(), stdout);
    return 0;
  }

 private:
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> NewCheckCommand() { return std::make_unique<CheckCommand>(); }

}  // namespace sluice
