#include "core/server/acceptor.h"

#include <cstring>
#include <utility>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/net/socket.h"

namespace sluice {
namespace {

// How many idle connections are looked at for one that may be closed: clients that connect and say
// nothing must not make each new client expensive.
constexpr int kLookAt = 64;
// How often connections that come at just that moment are taken when accepting stops.
constexpr int kMostLooks = 16;
constexpr Nanos kSaySilentEvery = 60 * kSecond;

}  // namespace

Acceptor::Acceptor(AcceptorOwner& owner, ListenerRuntime& runtime, AcceptorLimits limits)
    : owner_(owner),
      loop_(runtime.worker.loop),
      runtime_(&runtime),
      limits_(limits),
      listener_(loop_, *this),
      admit_task_(Callback::To<&Acceptor::Admit>(this)),
      retry_(loop_, Callback::To<&Acceptor::Admit>(this)),
      last_drain_(loop_, Callback::To<&Acceptor::DrainAll>(this)) {}

Acceptor::~Acceptor() {
  CHECK(empty());
  listener_.Close();
}

Result<void> Acceptor::Start(int fd) {
  local_ = LocalAddress(fd);
  const bool shared = !local_.is_ip();  // by all workers: listen_socket.h
  if (local_.is_any()) local_ = Address();
  return listener_.Start(fd, shared);
}

void Acceptor::SetRuntime(ListenerRuntime& runtime) {
  runtime_ = &runtime;
  all_.ForEach([&runtime](ServerConnection& connection) { connection.SetRuntime(runtime); });
}

void Acceptor::StopAccepting() {
  // The kernel wakes one of those that share a socket for a connection: it may have been us.
  for (int i = 0; i < kMostLooks; ++i) {
    if (listener_.shared()) listener_.TakeQueued();
    listener_.Pause();
    retry_.Cancel();
    admit_task_.Cancel();
    AdmitBeyondLimits();
    if (!listener_.shared() || !listener_.HasQueued()) return;
    listener_.Resume();
  }
  listener_.Pause();
}

void Acceptor::ResumeAccepting() {
  if (waiting_) return loop_.Defer(admit_task_);
  listener_.Resume();
}

void Acceptor::RetireOne() {
  ServerConnection* const found =
      all_.FindFirst([](const ServerConnection& connection) { return !connection.retiring(); });
  if (found != nullptr) found->Retire();
}

void Acceptor::CloseIdle() {
  idle_.ForEach([](ServerConnection& connection) { connection.Drain(); });  // lingering ones stay
}

void Acceptor::CloseIdleRetiring() {
  idle_.ForEach([](ServerConnection& connection) {
    if (connection.retiring()) connection.Drain();
  });
}

void Acceptor::ForEachConnection(const std::function<void(ServerConnection&)>& visit) {
  all_.ForEach([&visit](ServerConnection& connection) { visit(connection); });
}

bool Acceptor::Refuses() const {
  return !limits_.essential && runtime_->worker.status.overloaded(OverloadStep::kRefuseConnections);
}

void Acceptor::OnAccept(Fd fd, const Address& peer) {
  if (Refuses()) [[unlikely]] {
    runtime_->stats.connections_refused.Inc();
    return ResetOnClose(fd.get());
  }
  if (TryAcquire()) return Serve(std::move(fd), peer);
  runtime_->stats.connections_limited.Inc();
  listener_.Pause();
  waiting_ = std::move(fd);
  waiting_peer_ = peer;
  Admit();
}

void Acceptor::OnAcceptPaused(int errno_value) {
  runtime_->stats.accept_errors.Inc();
  Log(LogLevel::kWarning, "listener",
      StrCat({runtime_->settings.name, ": accepting pauses: ", std::strerror(errno_value)}));
}

bool Acceptor::TryAcquire() {
  if (!limits_.listener.TryAcquire()) {
    overall_full_ = false;
    return false;
  }
  if (limits_.overall.TryAcquire()) return true;
  limits_.listener.Release();
  overall_full_ = true;
  return false;
}

void Acceptor::Admit() {
  if (!waiting_) return;
  if (!TryAcquire()) {
    retry_.Start(kRetry);
    if (!CloseOneIdle()) owner_.OnRoomWanted(*this, overall_full_);
    return;
  }
  retry_.Cancel();
  Serve(std::move(waiting_), waiting_peer_);
  waiting_peer_ = Address();
  listener_.Resume();
}

void Acceptor::Serve(Fd fd, const Address& peer) {
  ++open_;
  owner_.OnConnectionCount(1);
  const Address local = local_.empty() ? LocalAddress(fd.get()) : local_;
  auto* connection =
      new ServerConnection(*this, *runtime_, all_, idle_, std::move(fd), peer, local);
  connection->Start();
}

void Acceptor::OnConnectionClosed(ServerConnection&) {
  --open_;
  limits_.listener.Release();
  limits_.overall.Release();
  owner_.OnConnectionCount(-1);
}

bool Acceptor::CloseOneIdle() {
  const Nanos now = loop_.now();
  const auto closable = [now](const ServerConnection& connection) {
    const Nanos idle = now - connection.idle_since();
    if (connection.lingering()) return idle >= kLingerGrace;
    return connection.requests() > 0 || idle >= kSilentGrace;
  };
  int looked = 0;
  ServerConnection* const found =
      idle_.FindFirst([&looked, &closable](const ServerConnection& connection) {
        return closable(connection) || ++looked == kLookAt;
      });
  if (found == nullptr || !closable(*found)) return false;
  if (found->lingering()) {
    // It was to be closed anyway.
  } else if (found->requests() == 0) {
    runtime_->stats.connections_closed_silent.Inc();
    SaySilent();
  } else {
    runtime_->stats.connections_closed_idle.Inc();
  }
  found->MakeRoom();
  return true;
}

void Acceptor::SaySilent() {
  const Nanos now = loop_.now();
  if (silent_said_ != 0 && now - silent_said_ < kSaySilentEvery) return;
  silent_said_ = now;
  Log(LogLevel::kWarning, "listener",
      StrCat({runtime_->settings.name,
              ": at the connection limit clients that send no request lose their place"}));
}

void Acceptor::Drain() {
  DrainAll();
  // Whoever is connected already cannot be served by anybody else: they get the time to send their
  // request.
  const size_t before = open_;
  listener_.TakeQueued();
  listener_.Pause();
  retry_.Cancel();
  admit_task_.Cancel();
  AdmitBeyondLimits();
  if (open_ > before) last_drain_.Start(kLastRequestTime);
}

void Acceptor::AdmitBeyondLimits() {
  if (!waiting_) return;
  limits_.listener.Acquire();
  limits_.overall.Acquire();
  Serve(std::move(waiting_), waiting_peer_);
  waiting_peer_ = Address();
}

void Acceptor::DrainAll() {
  all_.ForEach([](ServerConnection& connection) { connection.Drain(); });
}

void Acceptor::Abort() {
  listener_.Pause();
  retry_.Cancel();
  waiting_.Close();
  all_.ForEach([](ServerConnection& connection) { connection.Abort(); });
}

}  // namespace sluice
