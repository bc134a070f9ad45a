// RestartHost: a process's side of the restart socket: whoever connects is a successor or a
// command, as its first message says. Owned by the server; of the main thread.
#ifndef SLUICE_CORE_SERVER_RESTART_RESTART_HOST_H_
#define SLUICE_CORE_SERVER_RESTART_RESTART_HOST_H_

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/intrusive_list.h"
#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/server/restart/restart_channel.h"
#include "core/server/restart/restart_door.h"

namespace sluice {

// A command that waits for its outcome. Owned by the host; gone when it is answered, or its caller
// leaves.
class RestartCommand {
 public:
  virtual void Finish(bool ok, std::string_view text) = 0;
  // Whose process it is: "root (pid 7)".
  virtual std::string Who() const = 0;

 protected:
  ~RestartCommand() = default;
};

class RestartHostOwner {
 public:
  // A successor has said hello; the channel's fd is the owner's from here on.
  virtual void OnSuccessor(Fd fd, bool force) = 0;
  // REQUIRES: `command` is used before OnCommandGone(command), and not after Finish.
  virtual void OnCommand(std::string_view name, const std::vector<std::string>& arguments,
                         RestartCommand& command) = 0;
  virtual void OnCommandGone(RestartCommand& command) = 0;
  // Process `pid`, which was to be a successor, ends before it says hello.
  virtual void OnStartFailed(pid_t pid, std::string_view reason) = 0;

 protected:
  ~RestartHostOwner() = default;
};

class RestartHost final : private RestartDoor::Handler {
 public:
  // More callers than that at a time are turned away.
  static constexpr size_t kMostCallers = 16;

  RestartHost(Loop& loop, RestartHostOwner& owner);
  ~RestartHost();

  // See RestartDoor::Open.
  Result<void> Open(const std::string& path, uid_t owner, gid_t group) {
    return door_.Open(path, owner, group);
  }
  // Do those who call come to us?
  bool reachable() const { return door_.reachable(); }
  // Removes the socket if it is still ours. Callers stay.
  void Close() { door_.Close(); }

 private:
  class Caller;

  void OnRestartCaller(Fd fd) override;

  Loop& loop_;
  RestartHostOwner& owner_;
  RestartDoor door_;
  List<Caller> callers_;
  size_t caller_count_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_RESTART_RESTART_HOST_H_
