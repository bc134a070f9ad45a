// Successor: the process that takes over from this one, as this one sees it. It is offered the
// listening sockets, says when it is ready, and is watched until we are gone: should it die or fall
// silent while we drain, we go on in its place. Owned by RestartHost; of the main thread.
//
//   offered -> draining -> (we are gone)
//      |          |
//      +----------+-> lost: the owner goes on
#ifndef SLUICE_CORE_SERVER_RESTART_SUCCESSOR_H_
#define SLUICE_CORE_SERVER_RESTART_SUCCESSOR_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/net/address.h"
#include "core/server/restart/restart_channel.h"

namespace sluice {

// A listening socket that is passed on. The fd stays the giver's.
struct OfferedSocket {
  std::string address;   // as configured: Address::ToString
  std::string listener;  // its name; empty for the admin API's
  int fd;
};

class SuccessorOwner {
 public:
  // It accepts and answers: accept no more. Returns how long draining may take.
  virtual Nanos OnSuccessorReady() = 0;
  // It is gone, silent, or has given up. `was_ready`: accept again.
  virtual void OnSuccessorLost(bool was_ready, std::string_view why) = 0;
  virtual void OnReopenLogsAsked() = 0;
  // End at once, whatever is in flight.
  virtual void OnEndAsked() = 0;
  // It ends too: what is in flight here ends in order, and nobody accepts any more.
  virtual void OnLastAsked() = 0;

 protected:
  ~SuccessorOwner() = default;
};

class Successor final : public Retirable, private RestartChannelHandler {
 public:
  static constexpr Nanos kHeartbeat = 500 * kMillisecond;
  // So long without a word is silence.
  static constexpr Nanos kSilence = 2 * kSecond;
  // The longest that it may announce instead.
  static constexpr Nanos kMostPause = 60 * kSecond;

  // `ready_timeout`: how long it may take to be ready. The owner may retire it in a call, not
  // destroy it.
  Successor(Loop& loop, SuccessorOwner& owner, Fd fd, Nanos ready_timeout);

  // Passes the sockets on.
  Result<void> Offer(const std::vector<OfferedSocket>& sockets);
  // Says no, and why.
  void Refuse(std::string_view reason);
  // We end in order.
  void Close();

  bool ready() const { return ready_; }
  pid_t pid() const { return channel_.peer_pid(); }

 private:
  void OnRestartMessage(const restart::Message& message, std::vector<Fd>& fds) override;
  void OnRestartChannelClosed(std::string_view why) override;
  void OnBeat();
  void GiveUp(std::string_view why);
  void Lose(std::string_view why);

  Loop& loop_;
  SuccessorOwner& owner_;
  RestartChannel channel_;
  Timer beat_;
  const Nanos ready_timeout_;
  Nanos begun_;
  Nanos last_heard_;
  Nanos last_beat_ = 0;
  Nanos silence_ = kSilence;
  bool ready_ = false;
  bool lost_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_RESTART_SUCCESSOR_H_
