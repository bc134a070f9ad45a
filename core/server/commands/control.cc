// restart, reload, stop: what is asked of the process that runs under an id.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/event/loop.h"
#include "core/server/commands/command.h"
#include "core/server/restart/restart.pb.h"
#include "core/server/restart/restart_channel.h"
#include "core/stats/stats_file.h"

namespace sluice {
namespace {

// Waits for the outcome of one command.
class Asker final : public RestartChannelHandler {
 public:
  explicit Asker(Loop& loop) : loop_(loop) {}

  void OnRestartMessage(const restart::Message& message, std::vector<Fd>&) override {
    if (!message.has_outcome()) return;
    ok_ = message.outcome().ok();
    text_ = message.outcome().text();
    loop_.Stop();
  }
  void OnRestartChannelClosed(std::string_view why) override {
    if (text_.empty()) text_ = StrCat({"the process did not answer: ", why});
    loop_.Stop();
  }

  bool ok() const { return ok_; }
  const std::string& text() const { return text_; }

 private:
  Loop& loop_;
  bool ok_ = false;
  std::string text_;
};

class ControlCommand final : public Command {
 public:
  explicit ControlCommand(std::string name) : name_(std::move(name)) {}

  void AddOptions(CLI::App& app) override {
    app.add_option("--id", id_, "The instance: `id` of its configuration");
    app.add_option("--stats", path_, "Its stats file, if its configuration names one");
    if (name_ != "restart") return;
    app.add_flag("--force", force_, "End a process that still drains for the restart before");
  }

  int Run() override {
    const std::string stats = path_.empty() ? StatsFile::DefaultPath(id_) : path_;
    Result<Fd> fd = RestartChannel::Connect(RestartSocketOf(stats));
    if (!fd) {
      return FailCommand(fd.error().code == Code::kNotFound
                             ? StrCat({"no process runs as \"", id_, "\" (", fd.error().detail,
                                       "); --id or --stats names another"})
                             : fd.error().detail);
    }
    SystemClock clock;
    const Result<std::unique_ptr<Loop>> loop = Loop::Create(clock);
    if (!loop) return FailCommand(loop.error().detail);
    Asker asker(**loop);
    RestartChannel channel(**loop, asker, std::move(*fd));
    if (const Result<void> started = channel.Start(); !started) {
      return FailCommand(started.error().detail);
    }
    restart::Message message;
    message.mutable_command()->set_name(name_);
    if (force_) message.mutable_command()->add_arguments("force");
    channel.Send(message);
    (*loop)->Run();
    if (!asker.ok()) return FailCommand(asker.text());
    std::printf("%s\n", asker.text().c_str());
    return 0;
  }

 private:
  const std::string name_;
  std::string id_ = "sluice";
  std::string path_;
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Command> NewRestartCommand() { return std::make_unique<ControlCommand>("restart"); }
std::unique_ptr<Command> NewReloadCommand() { return std::make_unique<ControlCommand>("reload"); }
std::unique_ptr<Command> NewStopCommand() { return std::make_unique<ControlCommand>("stop"); }

}  // namespace sluice
