// Predecessor: the process that this one takes over from, as this one sees it. Owned by the server;
// of the main thread.
//
//   Find -> Receive (sockets come) -> SayReady -> draining -> gone
#ifndef SLUICE_CORE_SERVER_RESTART_PREDECESSOR_H_
#define SLUICE_CORE_SERVER_RESTART_PREDECESSOR_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/net/fd.h"
#include "core/server/restart/restart_channel.h"

namespace sluice {

// A listening socket that was passed on.
struct InheritedSocket {
  std::string address;   // as configured: Address::ToString
  std::string listener;  // its name; empty for the admin API's
  Fd fd;
};

class PredecessorOwner {
 public:
  // It accepts no more and is gone in at most `longest`.
  virtual void OnPredecessorDraining(Nanos longest) = 0;
  virtual void OnPredecessorGone() = 0;
  // It says nothing: it is stopped, or wedged. Once for each time.
  virtual void OnPredecessorSilent() = 0;
  // It has given us up, and serves: we are to end.
  virtual void OnGivenUp(std::string_view why) = 0;

 protected:
  ~PredecessorOwner() = default;
};

class Predecessor final : public Retirable, private RestartChannelHandler {
 public:
  // How long it may take to pass its sockets on.
  static constexpr Nanos kOfferTimeout = 5 * kSecond;

  // Null if nobody listens at `path`. Errors: it cannot be reached.
  static Result<std::unique_ptr<Predecessor>> Find(Loop& loop, PredecessorOwner& owner,
                                                   std::string_view path);
  Predecessor(Loop& loop, PredecessorOwner& owner, Fd fd);

  // Asks for its sockets and runs the loop until they are here. `force`: it may end a process that
  // still drains for it. Errors: kNotFound if it ends instead; it refuses or is silent. One that
  // ends later, gone() then, has passed on what there is of its sockets.
  Result<std::vector<InheritedSocket>> Receive(bool force);
  // Hears what it has said by now. The owner may be called.
  void TakeWaiting() { channel_.TakeWaiting(); }
  // It shall drain; the owner hears the rest.
  void SayReady();
  // We say nothing for so long at most.
  void AnnouncePause(Nanos longest);
  // We give up: it goes on.
  void SayFailed(std::string_view reason);
  void AskReopenLogs();
  // It shall end at once, or when it has drained, in any case.
  void AskEnd(bool when_drained);
  // The owner hears no more of it.
  void Close();

  bool gone() const { return gone_; }
  pid_t pid() const { return channel_.peer_pid(); }

 private:
  void OnRestartMessage(const restart::Message& message, std::vector<Fd>& fds) override;
  void OnRestartChannelClosed(std::string_view why) override;
  void OnBeat();
  void OnOfferTimeout();

  Loop& loop_;
  PredecessorOwner& owner_;
  RestartChannel channel_;
  Timer beat_;
  Timer offer_timer_;
  std::vector<InheritedSocket> sockets_;
  std::string failure_;
  Nanos last_heard_ = 0;
  Nanos last_beat_ = 0;
  bool silent_ = false;
  bool receiving_ = false;
  bool vanished_ = false;
  bool received_ = false;
  bool gone_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_RESTART_PREDECESSOR_H_
