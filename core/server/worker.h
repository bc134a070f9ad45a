// Worker: a thread with one loop, and everything on it that serves requests: clusters with their
// pools, filter factories, acceptors, connections. It shares nothing with other workers but the
// counts of connections. Owned by the server.
//
// Public functions are for the main thread: they post to the worker's loop. What the worker has to
// say it posts back: WorkerEvents are called on the main thread.
#ifndef SLUICE_CORE_SERVER_WORKER_H_
#define SLUICE_CORE_SERVER_WORKER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/filter/factory.h"
#include "core/server/worker_stats.h"
#include "core/stats/row.h"
#include "core/upstream/endpoint.h"

namespace sluice {

class ConnectionLimit;
class Generation;

class WorkerEvents {
 public:
  static constexpr size_t kAnyListener = SIZE_MAX;

  // The answer to StartAccepting.
  virtual void OnWorkerAccepting(uint32_t worker, const Result<void>& result) = 0;
  // A client waits at a limit, and this worker has no connection that could make room: another may.
  // `listener`: whose limit it is, as the generation's; kAnyListener: that of all. Said again while
  // it waits.
  virtual void OnWorkerWantsRoom(uint32_t worker, size_t listener) = 0;
  // After Drain: none of the sockets is looked at any more.
  virtual void OnWorkerStoppedAccepting(uint32_t worker) = 0;
  // After Drain or Abort: the last connection is gone.
  virtual void OnWorkerDrained(uint32_t worker) = 0;

 protected:
  ~WorkerEvents() = default;
};

class Worker {
 public:
  struct Environment {
    Loop& main_loop;
    WorkerEvents& events;
    const ServerStatus& status;
    ConnectionLimit& connections;  // of all workers
  };

  // All borrowed; they outlive the worker.
  static Result<std::unique_ptr<Worker>> Create(uint32_t index, Clock& clock,
                                                const Environment& environment, const StatsRow& row,
                                                const StatsGroup<WorkerStats>& stats);
  // Stops the thread, if it runs, whatever is in flight.
  ~Worker();

  // Starts the thread. `generation` outlives it.
  Result<void> Start(const Generation& generation);
  // `sockets`: one for each listener of the generation; they stay the caller's. Answered by
  // OnWorkerAccepting.
  void StartAccepting(std::vector<int> sockets);
  void UpdateCluster(uint32_t cluster, EndpointSetPtr endpoints);
  // Closes the connection of the listener, or of any, that has been idle for longest, if there is
  // one: for a client that waits at another worker.
  void MakeRoom(size_t listener);
  // Accepts no more and lets everything in flight end.
  void Drain();
  // Ends everything in flight.
  void Abort();

  uint32_t index() const { return index_; }

 private:
  // What lives on the thread, for as long as it runs.
  class Serving;

  Worker(uint32_t index, const Environment& environment, const StatsRow& row,
         const StatsGroup<WorkerStats>& stats, std::unique_ptr<Loop> loop);
  void Run(const Generation& generation, const std::vector<EndpointSetPtr>& endpoints);

  const uint32_t index_;
  const Environment environment_;
  const StatsRow row_;
  const StatsGroup<WorkerStats>& stats_;
  std::unique_ptr<Loop> loop_;
  Serving* serving_ = nullptr;  // only the worker's thread looks at it
  std::thread thread_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_WORKER_H_
