// Supervisor: a tiny parent for containers, and for whoever wants one pid over restarts: it starts
// the proxy, passes signals on to the process that serves now, takes in orphans, and ends when the
// last of them has. It never restarts itself, and runs nothing of the proxy.
//
// Each process says over a datagram socket (sd_notify(3)) when it serves: that is how the
// supervisor learns of a successor. What it hears it passes on to its own starter.
#ifndef SLUICE_CORE_SERVER_SUPERVISOR_H_
#define SLUICE_CORE_SERVER_SUPERVISOR_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/net/fd.h"

namespace sluice {

class Supervisor {
 public:
  // Runs `command` (the binary and its arguments) until all is over; returns the exit code of the
  // process that served last: 128 + N if signal N ended it. REQUIRES: no other thread.
  static Result<int> Run(const std::vector<std::string>& command);

 private:
  Result<void> Init();
  Result<void> Start(const std::vector<std::string>& command);
  void Serve();
  void OnSignals();
  void OnNotice();
  void Reap();
  void Forward(int signal);

  Fd signals_;
  Fd notices_;
  std::vector<pid_t> serving_;  // those that said they serve, and the first; the latest last
  int exit_code_ = 0;
  bool over_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SUPERVISOR_H_
