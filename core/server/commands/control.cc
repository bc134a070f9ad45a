// restart, reload, stop: what is asked of the process that runs under an id.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/server/commands/ask_process.h"
#include "core/server/commands/command.h"

namespace sluice {
namespace {

class ControlCommand final : public Command {
 public:
  explicit ControlCommand(std::string name) : name_(std::move(name)) {}

  void AddOptions(CLI::App& app) override {
    app.add_option("--id", instance_.id, "The instance: `id` of its configuration");
    app.add_option("--stats", instance_.stats, "Its stats file, if its configuration names one");
    if (name_ == "reload") app.add_option("--reason", reason_, "What the history says about it");
    if (name_ != "restart") return;
    app.add_flag("--force", force_, "End a process that still drains for the restart before");
  }

  int Run() override {
    std::vector<std::string> arguments;
    if (!reason_.empty()) arguments.push_back(reason_);
    if (force_) arguments.emplace_back("force");
    const Result<std::string> done = AskProcess(instance_, name_, arguments);
    if (!done) return FailCommand(done.error().detail);
    std::printf("%s\n", done->c_str());
    return 0;
  }

 private:
  const std::string name_;
  Instance instance_;
  std::string reason_;
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> NewRestartCommand() { return std::make_unique<ControlCommand>("restart"); }
std::unique_ptr<Command> NewReloadCommand() { return std::make_unique<ControlCommand>("reload"); }
std::unique_ptr<Command> NewStopCommand() { return std::make_unique<ControlCommand>("stop"); }

}  // namespace sluice
