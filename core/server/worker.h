// Worker: a thread with one loop, and everything on it that serves requests (Serving). It shares
// nothing with other workers but the counts of connections. Owned by the server.
//
// Public functions are for the main thread: they post to the worker's loop. What the worker has to
// say it posts back: WorkerEvents are called on the main thread.
#ifndef SLUICE_CORE_SERVER_WORKER_H_
#define SLUICE_CORE_SERVER_WORKER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/filter/factory.h"
#include "core/server/serving.h"

namespace sluice {

class WorkerEvents {
 public:
  // The answer to Use.
  virtual void OnWorkerUses(uint32_t worker, const Generation& generation,
                            const Result<void>& result) = 0;
  // Nothing on the worker uses it any more.
  virtual void OnWorkerReleases(uint32_t worker, const Generation& generation) = 0;
  // A client waits at a limit, and this worker has no connection that could make room: another may.
  // Of any listener if the name is empty. Said again while it waits.
  virtual void OnWorkerWantsRoom(uint32_t worker, std::string_view listener) = 0;
  // After Drain: none of the sockets is looked at any more.
  virtual void OnWorkerStoppedAccepting(uint32_t worker) = 0;
  // After Drain, Retire or Abort: the last connection is gone.
  virtual void OnWorkerDrained(uint32_t worker, uint32_t round) = 0;

 protected:
  ~WorkerEvents() = default;
};

class Worker final : private ServingEvents {
 public:
  struct Environment {
    Loop& main_loop;
    WorkerEvents& events;
    const ServerStatus& status;
    ConnectionLimit& connections;  // of all workers
    LagPeak& lag;                  // the same
  };

  // All borrowed; they outlive the worker.
  static Result<std::unique_ptr<Worker>> Create(uint32_t index, Clock& clock,
                                                const Environment& environment, const StatsRow& row,
                                                const StatsGroup<WorkerStats>& stats);
  // Stops the thread, if it runs, whatever is in flight.
  ~Worker();

  // Starts the thread.
  Result<void> Start();
  // Serves by `generation` from here on; answered by OnWorkerUses. It lives until OnWorkerReleases,
  // or the worker's end. `listeners`: as generation.listeners().
  void Use(const Generation& generation, std::vector<WorkerListener> listeners);
  void UpdateCluster(const Cluster& cluster);
  // See Serving.
  void Drain(uint32_t round);
  void Retire(uint32_t round, Nanos spread);
  void LookAgain();
  void Resume();
  void AskToLeave(Nanos spread);
  void AskNoMore();
  void Abort();
  void MakeRoom(std::string_view listener);

  // `answer` is called on the main thread, unless the worker ends before; what it holds outlives
  // the main thread's loop.
  void Ask(const WorkerQuestion& question,
           std::function<void(uint32_t worker, WorkerReport report)> answer);

  uint32_t index() const { return index_; }

 private:
  Worker(uint32_t index, const Environment& environment, const StatsRow& row,
         const StatsGroup<WorkerStats>& stats, std::unique_ptr<Loop> loop);
  void Run();

  // ServingEvents
  void OnGenerationUnused(const Generation& generation) override;
  void OnRoomWanted(std::string_view listener) override;
  void OnDrained(uint32_t round) override;

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
