#include "core/server/restart/predecessor.h"

#include <unistd.h>

#include <utility>

#include "core/base/strings.h"
#include "core/server/restart/restart.pb.h"
#include "core/server/restart/step.h"
#include "core/server/restart/successor.h"
#include "core/server/version.h"

namespace sluice {

Result<std::unique_ptr<Predecessor>> Predecessor::Find(Loop& loop, PredecessorOwner& owner,
                                                       std::string_view path) {
  Result<Fd> fd = RestartChannel::Connect(path);
  if (!fd) {
    if (fd.error().code == Code::kNotFound) return nullptr;
    return Fail(std::move(fd).error());
  }
  return std::make_unique<Predecessor>(loop, owner, std::move(*fd));
}

Predecessor::Predecessor(Loop& loop, PredecessorOwner& owner, Fd fd)
    : loop_(loop),
      owner_(owner),
      channel_(loop, *this, std::move(fd)),
      beat_(loop, Callback::To<&Predecessor::OnBeat>(this)),
      offer_timer_(loop, Callback::To<&Predecessor::OnOfferTimeout>(this)) {}

Result<std::vector<InheritedSocket>> Predecessor::Receive(bool force) {
  SLUICE_TRY(channel_.Start());
  restart::Message message;
  restart::Hello& hello = *message.mutable_hello();
  hello.set_protocol(kRestartProtocol);
  hello.set_pid(getpid());
  hello.set_version(std::string(kVersion));
  hello.set_force(force);
  channel_.Send(message);
  RestartStep(restart_step::kHelloSent);
  offer_timer_.Start(kOfferTimeout);
  receiving_ = true;  // our owner hears of an end when we return
  while (!received_ && failure_.empty()) loop_.RunOnce(-1);
  offer_timer_.Cancel();
  receiving_ = false;
  if (!failure_.empty()) return Fail(vanished_ ? Code::kNotFound : Code::kUnavailable, failure_);
  RestartStep(restart_step::kOfferReceived);
  last_heard_ = last_beat_ = loop_.now();
  if (!gone_) beat_.Start(Successor::kHeartbeat);
  return std::move(sockets_);
}

void Predecessor::SayReady() {
  restart::Message message;
  message.mutable_ready();
  channel_.Send(message);
}

void Predecessor::SayFailed(std::string_view reason) {
  restart::Message message;
  message.mutable_failure()->set_reason(std::string(reason));
  channel_.Send(message);
}

void Predecessor::AskReopenLogs() {
  restart::Message message;
  message.mutable_reopen_logs();
  channel_.Send(message);
}

void Predecessor::AskEnd(bool when_drained) {
  restart::Message message;
  message.mutable_end()->set_when_drained(when_drained);
  channel_.Send(message);
}

void Predecessor::Close() {
  beat_.Cancel();
  channel_.Close();
}

void Predecessor::OnRestartMessage(const restart::Message& message, std::vector<Fd>& fds) {
  last_heard_ = loop_.now();
  silent_ = false;
  switch (message.kind_case()) {
    case restart::Message::kRefusal:
      failure_ = message.refusal().reason();
      if (failure_.empty()) failure_ = "it refuses";
      if (!receiving_) owner_.OnGivenUp(failure_);
      return;
    case restart::Message::kOffer: {
      if (received_) return;
      const restart::Offer& offer = message.offer();
      if (fds.size() != static_cast<size_t>(offer.sockets_size())) {
        failure_ = "its sockets did not all arrive: the limit of open files may be reached";
        return;
      }
      for (size_t i = 0; i < fds.size(); ++i) {
        const restart::Socket& socket = offer.sockets(static_cast<int>(i));
        sockets_.push_back({socket.address(), socket.listener(), std::move(fds[i])});
      }
      received_ = offer.last();
      return;
    }
    case restart::Message::kDraining:
      return owner_.OnPredecessorDraining(message.draining().longest_ms() * kMillisecond);
    default:  // a heartbeat, or what a later version says
      return;
  }
}

void Predecessor::OnRestartChannelClosed(std::string_view why) {
  beat_.Cancel();
  gone_ = true;
  if (!received_) {
    // What it has passed on is ours alone now, and the rest is nobody's.
    received_ = !sockets_.empty();
    vanished_ = !received_ && failure_.empty();
    if (vanished_) failure_ = why;
  }
  if (!receiving_) owner_.OnPredecessorGone();
}

void Predecessor::AnnouncePause(Nanos longest) {
  restart::Message message;
  message.mutable_heartbeat()->set_pause_ms(static_cast<uint32_t>(longest / kMillisecond));
  if (!gone_ && !channel_.congested()) channel_.Send(message);
}

void Predecessor::OnBeat() {
  const Nanos now = loop_.now();
  // As in Successor::OnBeat.
  const Nanos late = now - last_beat_ - Successor::kHeartbeat;
  if (late >= Successor::kHeartbeat) last_heard_ += late;
  last_beat_ = now;
  if (!silent_ && now - last_heard_ >= Successor::kSilence) {
    silent_ = true;
    owner_.OnPredecessorSilent();
  }
  restart::Message message;
  message.mutable_heartbeat();
  if (!channel_.congested()) channel_.Send(message);
  beat_.Start(Successor::kHeartbeat);
}

void Predecessor::OnOfferTimeout() {
  failure_ = StrCat({"process ", Decimal(static_cast<uint64_t>(pid())), " does not answer"});
}

}  // namespace sluice
