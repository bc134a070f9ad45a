// SelfCheck: one request through the filters of each listener, before a process says that it is
// ready: what cannot serve must not take over. The filters may answer it themselves, in any way; if
// they do not, the check's own last filter does. It is in no stats and no log, and reaches no
// upstream.
//
// Owned by the server; of the main thread.
#ifndef SLUICE_CORE_SERVER_SELF_CHECK_H_
#define SLUICE_CORE_SERVER_SELF_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/proxy/proxy_worker.h"
#include "core/server/generation.h"

namespace sluice {

class SelfCheck {
 public:
  // All outlive it. `row`: one that counts nothing. `index`: of no worker, for what filters keep
  // for each.
  SelfCheck(const Generation& generation, Loop& loop, const StatsRow& row,
            const ServerStatus& status, uint32_t index);
  ~SelfCheck();

  // `done` is called once, not in this call: when each listener has answered, with what one could
  // not, or at `limit`. It must not destroy the check. The check is destroyed outside of the loop,
  // or after `done` without an error.
  void Start(Nanos limit, std::function<void(const Result<void>&)> done);

 private:
  class Probe;

  void OnProbed(const Result<void>& result);
  void Finish();
  void OnLimit();

  Loop& loop_;
  ProxyWorker worker_;
  ProxyGeneration scope_;
  std::vector<std::unique_ptr<Probe>> probes_;
  Task done_task_;
  Timer timer_;
  std::function<void(const Result<void>&)> done_;
  Result<void> result_;
  size_t left_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SELF_CHECK_H_
