// RestartDoor: where a successor, or a command, finds the process: a SOCK_SEQPACKET socket in the
// file system, mode 0600. Whoever is not root or our own user is turned away (SO_PEERCRED). Owned
// by the server; of the main thread.
#ifndef SLUICE_CORE_SERVER_RESTART_RESTART_DOOR_H_
#define SLUICE_CORE_SERVER_RESTART_RESTART_DOOR_H_

#include <sys/types.h>

#include <string>

#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/net/fd.h"
#include "core/net/listener.h"

namespace sluice {

class RestartDoor final : private Listener::Handler {
 public:
  class Handler {
   public:
    virtual void OnRestartCaller(Fd fd) = 0;

   protected:
    ~Handler() = default;
  };

  RestartDoor(Loop& loop, Handler& handler) : handler_(handler), listener_(loop, *this) {}
  ~RestartDoor() { Close(); }
  RestartDoor(const RestartDoor&) = delete;
  RestartDoor& operator=(const RestartDoor&) = delete;

  // Binds at `path`, in place of whoever is there: at no moment is there nobody. `owner` and
  // `group`: -1 leaves them as they are.
  Result<void> Open(const std::string& path, uid_t owner, gid_t group);
  // Removes the file if it is still ours.
  void Close();
  // It is open, and nobody has taken its path.
  bool reachable() const;

 private:
  void OnAccept(Fd fd, const Address& peer) override;
  void OnAcceptPaused(int errno_value) override;

  Handler& handler_;
  Listener listener_;
  Fd fd_;
  std::string path_;
  ino_t inode_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_RESTART_RESTART_DOOR_H_
