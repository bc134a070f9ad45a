#include "core/server/self_check.h"

#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/strings.h"
#include "core/filter/last_filter.h"
#include "core/proxy/server_connection.h"

namespace sluice {
namespace {

constexpr std::string_view kRequest =
    "GET /.well-known/sluice-self-check HTTP/1.1\r\n"
    "Host: sluice-self-check\r\n"
    "Connection: close\r\n\r\n";

// Answers what came through the filters.
class Answer final : public LastFilter {
 public:
  explicit Answer(Responder& responder) : responder_(responder) {}

  void OnRequestHeaders(RequestHead&, bool) override {
    LocalReply reply;
    reply.status = 204;
    reply.details = "self_check";
    reply.unmapped = true;
    responder_.Reply(std::move(reply));
  }
  void OnRequestBody(Buffer& data, bool, Headers*) override { data.Clear(); }
  void OnResponseWanted() override {}
  void OnAbandoned() override {}

 private:
  Responder& responder_;
};

class AnswerFactory final : public LastFilterFactory {
 public:
  ArenaPtr<LastFilter> Create(Responder& responder) override {
    return ArenaPtr<LastFilter>(responder.stream_arena().Make<Answer>(responder).release());
  }
};

}  // namespace

// One listener's: both ends of a connection.
class SelfCheck::Probe final : private ServerConnectionOwner, private FdWatch::Handler {
 public:
  Probe(SelfCheck& check, const ListenerSettings& settings)
      : check_(check),
        settings_(settings),
        runtime_(settings, check.worker_, check.scope_, std::make_unique<AnswerFactory>()),
        watch_(check.loop_, *this) {}
  ~Probe() {
    watch_.Stop();
    if (all_.empty()) return;
    all_.ForEach([](ServerConnection& connection) { connection.Abort(); });
    check_.loop_.RunOnce(0);  // destroys it, which holds the generation
  }

  Result<void> Start() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
      return Fail(SystemError("socketpair", errno));
    }
    client_ = Fd(ends[0]);
    auto* connection = new ServerConnection(*this, runtime_, all_, idle_, Fd(ends[1]),
                                            Address::Unix({}).value_or(Address()), Address());
    connection->MakeProbe();
    connection->Start();
    // A fresh socket has room for it.
    if (send(client_.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) {
      return Fail(SystemError("send", errno));
    }
    return watch_.Start(client_.get(), false);
  }

 private:
  void OnConnectionClosed(ServerConnection&) override {}

  void OnReady(uint32_t) override {
    char piece[4096];
    for (;;) {
      const ssize_t size = recv(client_.get(), piece, sizeof(piece), 0);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) return;
      if (size <= 0) break;
      if (answer_.size() < sizeof(piece)) answer_.append(piece, static_cast<size_t>(size));
    }
    watch_.Stop();
    // What it says is for the filters to choose: a login page is an answer.
    if (answer_.starts_with("HTTP/1.1 ")) return check_.OnProbed({});
    check_.OnProbed(Fail(Code::kInternal, StrCat({"listener \"", settings_.name,
                                                  "\" does not answer a request to itself"})));
  }

  SelfCheck& check_;
  const ListenerSettings& settings_;
  ListenerRuntime runtime_;
  ServerConnection::AllList all_;
  ServerConnection::IdleList idle_;
  Fd client_;
  FdWatch watch_;
  std::string answer_;
};

SelfCheck::SelfCheck(const Generation& generation, Loop& loop, const StatsRow& row,
                     const ServerStatus& status, uint32_t index)
    : loop_(loop),
      worker_(loop, row, status, index),
      scope_(loop),
      done_task_(Callback::To<&SelfCheck::Finish>(this)),
      timer_(loop, Callback::To<&SelfCheck::OnLimit>(this)) {
  for (const Generation::Listener& listener : generation.listeners()) {
    probes_.push_back(std::make_unique<Probe>(*this, *listener.settings));
  }
  left_ = probes_.size();
}

SelfCheck::~SelfCheck() = default;

void SelfCheck::Start(Nanos limit, std::function<void(const Result<void>&)> done) {
  done_ = std::move(done);
  timer_.Start(limit);
  if (probes_.empty()) loop_.Defer(done_task_);
  for (const auto& probe : probes_) {
    if (Result<void> started = probe->Start(); !started) OnProbed(started);
  }
}

void SelfCheck::OnProbed(const Result<void>& result) {
  if (!result && result_) result_ = result;
  if (--left_ == 0) loop_.Defer(done_task_);
}

void SelfCheck::Finish() {
  timer_.Cancel();
  if (done_) std::exchange(done_, nullptr)(result_);
}

void SelfCheck::OnLimit() {
  result_ = Fail(Code::kTimeout, "a filter does not answer a request to itself in time");
  loop_.Defer(done_task_);
}

}  // namespace sluice
