// top: what an instance does, live, read from its shared memory alone.
#include <signal.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/server/commands/command.h"
#include "core/server/commands/stats_source.h"
#include "core/server/commands/terminal.h"
#include "core/server/stats/top_frame.h"
#include "core/server/stats/top_model.h"
#include "core/server/stats/top_sample.h"

namespace sluice {
namespace {

class TopCommand final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    source_.AddOptions(app);
    app.add_flag("--once", once_, "One look at one interval; so does output to no terminal");
  }

  int Run() override {
    if (const Result<void> opened = source_.Open(); !opened) {
      return FailCommand(opened.error().detail);
    }
    view_.name = source_.name();
    Look();
    return once_ || !Terminal::IsThere() ? ShowOnce() : Show();
  }

 private:
  void Look() {
    if (source_.Renewed()) now_.reset();
    before_ = std::exchange(
        now_, TakeTopSample(source_.reader(), source_.processes(), clock_.Monotonic()));
  }

  std::vector<TopText> Render() {
    view_.wall = clock_.Wall() / kSecond;
    const bool rates = before_ && !view_.totals && source_.live();
    return RenderTop(CompareTopSamples(rates ? &*before_ : nullptr, *now_), view_);
  }

  // As wide as it is on a terminal, and all of it.
  int ShowOnce() {
    if (source_.live()) {
      timespec pause = {source_.interval() / kSecond, source_.interval() % kSecond};
      while (nanosleep(&pause, &pause) != 0 && errno == EINTR) {
      }
      Look();
    }
    view_.keys = false;
    view_.height = 5;
    for (const auto& table : now_->tables) view_.height += 1 + table.size();
    for (const TopText& line : Render()) std::printf("%s\n", line.text.c_str());
    return std::fflush(stdout) == 0 ? 0 : 1;
  }

  int Show() {
    Terminal terminal;
    Nanos next = clock_.Monotonic() + source_.interval();
    while (true) {
      const Terminal::Size size = terminal.size();
      view_.width = size.width;
      view_.height = size.height;
      terminal.Draw(Render());
      const Terminal::Event event = terminal.Wait(next);
      switch (event.kind) {
        case Terminal::Event::Kind::kTime:
          Look();
          next = clock_.Monotonic() + source_.interval();
          break;
        case Terminal::Event::Kind::kKey:
          if (!HandleTopKey(event.key, event.character, view_)) return 0;
          break;
        case Terminal::Event::Kind::kRedraw:
          break;
        case Terminal::Event::Kind::kEnd:
          if (terminal.end_signal() == 0) return 1;  // the terminal is gone
          return terminal.end_signal() == SIGINT ? 0 : 128 + terminal.end_signal();
      }
    }
  }

  SystemClock clock_;
  StatsSource source_;
  bool once_ = false;
  TopView view_;
  std::optional<TopSample> before_;
  std::optional<TopSample> now_;
};

}  // namespace

std::unique_ptr<Command> NewTopCommand() { return std::make_unique<TopCommand>(); }

}  // namespace sluice
