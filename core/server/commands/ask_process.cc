#include "core/server/commands/ask_process.h"

#include <memory>
#include <utility>

#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/event/loop.h"
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

}  // namespace

Result<std::string> AskProcess(const Instance& instance, const std::string& name,
                               const std::vector<std::string>& arguments) {
  const std::string stats =
      instance.stats.empty() ? StatsFile::DefaultPath(instance.id) : instance.stats;
  Result<Fd> fd = RestartChannel::Connect(RestartSocketOf(stats));
  if (!fd) {
    if (fd.error().code != Code::kNotFound) return Fail(std::move(fd).error());
    return Fail(Code::kNotFound, StrCat({"no process runs as \"", instance.id, "\" (",
                                         fd.error().detail, "); --id or --stats names another"}));
  }
  SystemClock clock;
  const Result<std::unique_ptr<Loop>> loop = Loop::Create(clock);
  if (!loop) return Fail(loop.error());
  Asker asker(**loop);
  RestartChannel channel(**loop, asker, std::move(*fd));
  SLUICE_TRY(channel.Start());
  restart::Message message;
  message.mutable_command()->set_name(name);
  for (const std::string& each : arguments) message.mutable_command()->add_arguments(each);
  channel.Send(message);
  (*loop)->Run();
  if (!asker.ok()) return Fail(Code::kUnavailable, asker.text());
  return asker.text();
}

}  // namespace sluice
