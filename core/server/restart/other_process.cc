#include "core/server/restart/other_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sluice {

OtherProcess::OtherProcess(pid_t pid)
    : pid_(pid), handle_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}

void OtherProcess::Kill() const {
  if (handle_) {
    syscall(SYS_pidfd_send_signal, handle_.get(), SIGKILL, nullptr, 0);
  } else if (pid_ > 0) {
    kill(pid_, SIGKILL);  // a sandbox that knows no pidfds
  }
}

bool OtherProcess::AwaitEnd(int milliseconds) const {
  if (!handle_) return true;
  pollfd end{handle_.get(), POLLIN, 0};
  return poll(&end, 1, milliseconds) > 0;
}

}  // namespace sluice
