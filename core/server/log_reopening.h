// LogReopening: opens the logs anew after a rotation, and says in the log what came of it: the
// threads that write them need a moment. Owned by the server; of the main thread.
#ifndef SLUICE_CORE_SERVER_LOG_REOPENING_H_
#define SLUICE_CORE_SERVER_LOG_REOPENING_H_

#include <functional>
#include <string>
#include <vector>

#include "core/event/loop.h"
#include "core/filter/factory.h"
#include "core/stats/counter.h"

namespace sluice {

class LogReopening {
 public:
  static constexpr Nanos kLookEvery = 20 * kMillisecond;

  using Logs = std::function<std::vector<FilterLog>()>;

  // `errors` counts logs that could not be opened; `logs` says how those of filters are.
  LogReopening(Loop& loop, Counter errors, Logs logs);

  // Opens the server's own log anew. Those of filters are told already; their outcome is awaited.
  void Start();

 private:
  void Look();

  Counter errors_;
  const Logs logs_;
  Timer timer_;
  bool own_failed_ = false;
};

// Of the server's own log and of `logs`, each once.
std::vector<std::string> LogPaths(const std::vector<FilterLog>& logs);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_LOG_REOPENING_H_
