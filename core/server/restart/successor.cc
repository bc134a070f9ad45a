#include "core/server/restart/successor.h"

#include <algorithm>
#include <utility>

#include "core/base/strings.h"
#include "core/server/restart/restart.pb.h"

namespace sluice {

Successor::Successor(Loop& loop, SuccessorOwner& owner, Fd fd, Nanos ready_timeout)
    : loop_(loop),
      owner_(owner),
      channel_(loop, *this, std::move(fd)),
      beat_(loop, Callback::To<&Successor::OnBeat>(this)),
      ready_timeout_(ready_timeout),
      begun_(loop.now()),
      last_heard_(loop.now()) {}

Result<void> Successor::Offer(const std::vector<OfferedSocket>& sockets) {
  SLUICE_TRY(channel_.Start());
  size_t next = 0;
  do {
    restart::Message message;
    restart::Offer& offer = *message.mutable_offer();
    std::vector<int> fds;
    while (next < sockets.size() && fds.size() < RestartChannel::kMostFds) {
      restart::Socket& socket = *offer.add_sockets();
      socket.set_address(sockets[next].address);
      socket.set_listener(sockets[next].listener);
      fds.push_back(sockets[next++].fd);
    }
    offer.set_last(next == sockets.size());
    channel_.Send(message, fds);
  } while (next < sockets.size());
  last_beat_ = loop_.now();
  beat_.Start(kHeartbeat);
  return {};
}

void Successor::Refuse(std::string_view reason) {
  restart::Message message;
  message.mutable_refusal()->set_reason(std::string(reason));
  channel_.Send(message);
  Close();
}

void Successor::Close() {
  lost_ = true;
  beat_.Cancel();
  channel_.Close();
}

void Successor::OnRestartMessage(const restart::Message& message, std::vector<Fd>&) {
  last_heard_ = loop_.now();
  switch (message.kind_case()) {
    case restart::Message::kReady: {
      if (ready_) return;
      ready_ = true;
      restart::Message answer;
      answer.mutable_draining()->set_longest_ms(owner_.OnSuccessorReady() / kMillisecond);
      return channel_.Send(answer);
    }
    case restart::Message::kFailure:
      return Lose(message.failure().reason());
    case restart::Message::kReopenLogs:
      return owner_.OnReopenLogsAsked();
    case restart::Message::kEnd:
      if (!ready_) return Lose("it was asked to end");
      return message.end().when_drained() ? owner_.OnLastAsked() : owner_.OnEndAsked();
    case restart::Message::kHeartbeat:
      silence_ = std::clamp(message.heartbeat().pause_ms() * kMillisecond, kSilence, kMostPause);
      return;
    default:  // what a later version says
      return;
  }
}

void Successor::OnRestartChannelClosed(std::string_view why) { Lose(why); }

// Before it is ready it may be busy for long with its configuration.
void Successor::OnBeat() {
  const Nanos now = loop_.now();
  // Who was stopped, or busy, for long is we: what it said meanwhile still waits to be read.
  const Nanos late = now - last_beat_ - kHeartbeat;
  if (late >= kHeartbeat) {
    begun_ += late;
    last_heard_ += late;
  }
  last_beat_ = now;
  if (ready_ && now - last_heard_ >= silence_) return GiveUp("it is silent");
  if (!ready_ && now - begun_ >= ready_timeout_) {
    return GiveUp(StrCat({"it was not ready within ",
                          Decimal(static_cast<uint64_t>(ready_timeout_ / kSecond)), " s"}));
  }
  restart::Message message;
  message.mutable_heartbeat();
  if (!channel_.congested()) channel_.Send(message);
  beat_.Start(kHeartbeat);
}

// Should it live and wake up, it must know that we serve: when we do, so that it leaves to us what
// is ours by then.
void Successor::GiveUp(std::string_view why) {
  if (lost_) return;
  lost_ = true;
  beat_.Cancel();
  const std::string reason(why);
  owner_.OnSuccessorLost(ready_, reason);
  Refuse(reason);
}

void Successor::Lose(std::string_view why) {
  if (lost_) return;
  const std::string reason(why);  // it may be of what Close frees
  Close();
  owner_.OnSuccessorLost(ready_, reason);
}

}  // namespace sluice
