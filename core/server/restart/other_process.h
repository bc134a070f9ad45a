// OtherProcess: a process that is not our child: a pid that stays its own, also when it has ended
// and another has its number. A value; any thread.
#ifndef SLUICE_CORE_SERVER_RESTART_OTHER_PROCESS_H_
#define SLUICE_CORE_SERVER_RESTART_OTHER_PROCESS_H_

#include <sys/types.h>

#include "core/net/fd.h"

namespace sluice {

class OtherProcess {
 public:
  OtherProcess() = default;  // none: not alive
  // REQUIRES: it lives, or was not waited for, now.
  explicit OtherProcess(pid_t pid);

  pid_t pid() const { return pid_; }
  bool alive() const { return !AwaitEnd(0); }
  // SIGKILL.
  void Kill() const;
  // Waits for so long at most; true when it has ended.
  bool AwaitEnd(int milliseconds) const;

 private:
  pid_t pid_ = 0;
  Fd handle_;  // a pidfd
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_RESTART_OTHER_PROCESS_H_
