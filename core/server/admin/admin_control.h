// AdminControl: what the admin API can do to the server. Implemented by the server; called on the
// main thread.
#ifndef SLUICE_CORE_SERVER_ADMIN_ADMIN_CONTROL_H_
#define SLUICE_CORE_SERVER_ADMIN_ADMIN_CONTROL_H_

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/server/restart/restart_host.h"

namespace sluice {

class AdminControl {
 public:
  // Out: /ready and health checks fail, and clients are asked, spread over a while, to come again;
  // whoever comes is served. Errors: the process is ending.
  virtual Result<void> SetOut(bool out) = 0;
  // Reads the configuration's file again, for `who`; what has come of it, as a sentence.
  virtual Result<std::string> Reload(const std::string& who) = 0;
  virtual void ReopenLogs() = 0;
  // Drains, then ends. Errors: it is ending already.
  virtual Result<void> Stop() = 0;
  // A hot restart, whose outcome finishes `command`, also inside of this call.
  virtual void Restart(RestartCommand& command) = 0;
  // REQUIRES: it is not finished; it is not used any more.
  virtual void ForgetRestart(RestartCommand& command) = 0;
  // The endpoint gets no new requests, or does again. Errors: kNotFound.
  virtual Result<void> SetEndpointDrained(std::string_view cluster, std::string_view address,
                                          bool drained) = 0;

 protected:
  ~AdminControl() = default;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_ADMIN_CONTROL_H_
