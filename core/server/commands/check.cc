#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "core/config/config.pb.h"
#include "core/config/summary.h"
#include "core/server/commands/command.h"
#include "core/server/configuration/whole_config.h"

namespace sluice {
namespace {

class CheckCommand final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("-c,--config", file_, "The configuration: YAML, JSON or TOML")->required();
  }

  int Run() override {
    const Result<LoadedConfig> loaded = LoadWholeConfig(file_);
    if (!loaded) {
      std::fprintf(stderr, "%s\n", loaded.error().detail.c_str());
      return 1;
    }
    std::fputs(SummaryText(*loaded->config, loaded->warnings).c_str(), stdout);
    return 0;
  }

 private:
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> NewCheckCommand() { return std::make_unique<CheckCommand>(); }

}  // namespace sluice
