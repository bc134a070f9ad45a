// RestartChannel: one end of a connection over the restart socket: messages (restart.proto), each a
// packet, with fds along. It knows nothing of what they mean. Owned by whoever talks; of the main
// thread.
#ifndef SLUICE_CORE_SERVER_RESTART_RESTART_CHANNEL_H_
#define SLUICE_CORE_SERVER_RESTART_RESTART_CHANNEL_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/net/fd.h"

namespace sluice {

namespace restart {
class Message;
}

// Of Hello: raised with every change that the other side must know of.
inline constexpr uint32_t kRestartProtocol = 1;

// Where the process that counts in this stats file listens.
inline std::string RestartSocketOf(std::string_view stats_path) {
  return std::string(stats_path) + ".sock";
}

class RestartChannelHandler {
 public:
  // `fds` came along; they are closed unless taken.
  virtual void OnRestartMessage(const restart::Message& message, std::vector<Fd>& fds) = 0;
  // The peer is gone, or sent what is no message; `why` says. Nothing follows.
  virtual void OnRestartChannelClosed(std::string_view why) = 0;

 protected:
  ~RestartChannelHandler() = default;
};

class RestartChannel final : public Retirable, private FdWatch::Handler {
 public:
  // Of one message; the kernel takes no more than 253 fds at a time (SCM_MAX_FD).
  static constexpr size_t kMostFds = 64;
  static constexpr size_t kMostBytes = 64 * 1024;

  // Connects. Errors: kNotFound if nobody listens at `path`, kPermission.
  static Result<Fd> Connect(std::string_view path);

  // `fd` is a connected SOCK_SEQPACKET socket that does not block. The handler outlives the channel
  // and may retire, but not destroy, it in a call.
  RestartChannel(Loop& loop, RestartChannelHandler& handler, Fd fd);
  ~RestartChannel() override { Close(); }

  // Calls of the handler follow.
  Result<void> Start();
  // Sends now, or when there is room. A peer that is gone shows in OnRestartChannelClosed. `fds`
  // stay the caller's. REQUIRES: fds.size() <= kMostFds.
  void Send(const restart::Message& message, const std::vector<int>& fds = {});
  // The handler hears nothing any more. What was sent before still arrives.
  void Close();
  // Takes what has come by now, as the loop's next turn would.
  void TakeWaiting() { Receive(); }
  // The peer does not take what was sent: it is busy, or stopped.
  bool congested() const { return !waiting_.empty(); }
  // Gives the connection to the caller. REQUIRES: nothing waits to be sent.
  Fd Release();

  pid_t peer_pid() const { return peer_pid_; }
  uid_t peer_user() const { return peer_user_; }

 private:
  struct Packet {
    std::string bytes;
    std::vector<Fd> fds;
  };

  void OnReady(uint32_t events) override;
  void Receive();
  void Flush();
  void End(std::string_view why);
  // False: would block.
  bool SendPacket(const Packet& packet);

  RestartChannelHandler& handler_;
  FdWatch watch_;
  Fd fd_;
  pid_t peer_pid_ = 0;
  uid_t peer_user_ = static_cast<uid_t>(-1);
  std::deque<Packet> waiting_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_RESTART_RESTART_CHANNEL_H_
