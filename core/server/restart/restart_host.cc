#include "core/server/restart/restart_host.h"

#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/server/process.h"
#include "core/server/restart/restart.pb.h"

namespace sluice {

// Whoever has connected, until it is handed on or has its answer. Owns itself, in the host's list.
class RestartHost::Caller final : public Retirable,
                                  public ListNode<>,
                                  public RestartCommand,
                                  private RestartChannelHandler {
 public:
  // How long it may take to say what it wants.
  static constexpr Nanos kPatience = 5 * kSecond;

  Caller(RestartHost& host, Fd fd)
      : host_(host),
        channel_(host.loop_, *this, std::move(fd)),
        timer_(host.loop_, Callback::To<&Caller::Leave>(this)) {}

  Result<void> Start() {
    timer_.Start(kPatience);
    return channel_.Start();
  }

  std::string Who() const override {
    return StrCat({UserName(channel_.peer_user()), " (pid ",
                   Decimal(static_cast<uint64_t>(channel_.peer_pid())), ")"});
  }

  void Finish(bool ok, std::string_view text) override {
    restart::Message message;
    message.mutable_outcome()->set_ok(ok);
    message.mutable_outcome()->set_text(std::string(text));
    channel_.Send(message);
    waits_ = false;
    Leave();
  }

  void Leave() {
    if (!linked()) return;
    Unlink();
    --host_.caller_count_;
    timer_.Cancel();
    channel_.Close();
    if (std::exchange(waits_, false)) host_.owner_.OnCommandGone(*this);
    host_.loop_.Retire(std::unique_ptr<Retirable>(this));
  }

 private:
  void OnRestartMessage(const restart::Message& message, std::vector<Fd>&) override {
    timer_.Cancel();
    switch (message.kind_case()) {
      case restart::Message::kHello:
        return BeSuccessor(message.hello());
      case restart::Message::kCommand:
        if (std::exchange(waits_, true)) return Leave();  // one at a time
        return host_.owner_.OnCommand(
            message.command().name(),
            {message.command().arguments().begin(), message.command().arguments().end()}, *this);
      case restart::Message::kFailure:
        if (!waits_) {
          host_.owner_.OnStartFailed(channel_.peer_pid(), message.failure().reason());
        }
        return Leave();
      default:
        return Leave();
    }
  }

  void OnRestartChannelClosed(std::string_view) override { Leave(); }

  void BeSuccessor(const restart::Hello& hello) {
    if (waits_ || hello.protocol() == 0) return Leave();
    Fd fd = channel_.Release();
    Leave();
    host_.owner_.OnSuccessor(std::move(fd), hello.force());
  }

  RestartHost& host_;
  RestartChannel channel_;
  Timer timer_;
  bool waits_ = false;  // a command, for its outcome
};

RestartHost::RestartHost(Loop& loop, RestartHostOwner& owner)
    : loop_(loop), owner_(owner), door_(loop, *this) {}

RestartHost::~RestartHost() {
  callers_.ForEach([](Caller& caller) { caller.Leave(); });
}

void RestartHost::OnRestartCaller(Fd fd) {
  if (caller_count_ == kMostCallers) {
    return Log(LogLevel::kWarning, "restart", "too many callers: one is turned away");
  }
  auto* caller = new Caller(*this, std::move(fd));
  callers_.PushBack(*caller);
  ++caller_count_;
  if (!caller->Start()) caller->Leave();
}

}  // namespace sluice
