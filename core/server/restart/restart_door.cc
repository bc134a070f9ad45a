#include "core/server/restart/restart_door.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"

namespace sluice {
namespace {

constexpr int kBacklog = 16;

ino_t InodeOf(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace

Result<void> RestartDoor::Open(const std::string& path, uid_t owner, gid_t group) {
  Close();
  // Bound under another name and moved: whoever connects finds the old one or the new one.
  const std::string own = StrCat({path, ".", Decimal(static_cast<uint64_t>(getpid()))});
  const auto fail = [&own](std::string_view call) {
    const int error = errno;
    unlink(own.c_str());
    return Fail(SystemError(StrCat({"restart socket ", own, ": ", call}), error));
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (own.size() >= sizeof(address.sun_path)) {
    return Fail(Code::kInvalidArgument, StrCat({own, ": too long for a socket's path"}));
  }
  std::memcpy(address.sun_path, own.data(), own.size());
  Fd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail("socket");
  unlink(own.c_str());  // of a process that had our pid
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return fail("bind");
  }
  // Nobody can connect before listen(): there is no moment with other rights.
  if (chmod(own.c_str(), 0600) != 0) return fail("chmod");
  const bool owned = owner != static_cast<uid_t>(-1) || group != static_cast<gid_t>(-1);
  if (owned && chown(own.c_str(), owner, group) != 0) return fail("chown");
  if (listen(fd.get(), kBacklog) != 0) return fail("listen");
  if (rename(own.c_str(), path.c_str()) != 0) return fail("rename");
  fd_ = std::move(fd);
  path_ = path;
  inode_ = InodeOf(path);
  return listener_.Start(fd_.get());
}

void RestartDoor::Close() {
  if (!fd_) return;
  listener_.Close();
  fd_.Close();
  if (InodeOf(path_) == inode_) unlink(path_.c_str());
}

bool RestartDoor::reachable() const { return fd_ && InodeOf(path_) == inode_; }

void RestartDoor::OnAccept(Fd fd, const Address&) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return;
  if (peer.uid != 0 && peer.uid != geteuid()) {
    Log(LogLevel::kWarning, "restart",
        StrCat({"turned away process ", Decimal(static_cast<uint64_t>(peer.pid)), " of user ",
                Decimal(peer.uid)}));
    return;
  }
  handler_.OnRestartCaller(std::move(fd));
}

void RestartDoor::OnAcceptPaused(int errno_value) {
  Log(LogLevel::kWarning, "restart",
      StrCat({"accepting callers pauses: ", std::strerror(errno_value)}));
}

}  // namespace sluice
