// Serving: everything on a worker's thread that serves requests: clusters with their pools, the
// generations of the configuration, acceptors, connections. Owned by the worker, on its thread
// alone.
//
// A reload brings the next generation: acceptors of listeners that stay go over with their
// connections, the others drain; the one before lives until nobody holds it any more.
#ifndef SLUICE_CORE_SERVER_SERVING_H_
#define SLUICE_CORE_SERVER_SERVING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/proxy/proxy_worker.h"
#include "core/server/acceptor.h"
#include "core/server/connection_limit.h"
#include "core/server/generation.h"
#include "core/server/overload/lag_peak.h"
#include "core/server/worker_report.h"
#include "core/server/worker_stats.h"

namespace sluice {

// What a worker accepts from, for one listener of a generation.
struct WorkerListener {
  ConnectionLimit* limit = nullptr;
  std::vector<int> sockets;  // the server's
};

// Called on the worker's thread, from inside of Serving.
class ServingEvents {
 public:
  // Nothing of it is used any more.
  virtual void OnGenerationUnused(const Generation& generation) = 0;
  // A client waits at a limit, and nothing here could be closed: others may. Of any listener if the
  // name is empty.
  virtual void OnRoomWanted(std::string_view listener) = 0;
  // After Drain, Retire or Abort: the last connection is gone. `round`: which Drain or Retire it
  // was.
  virtual void OnDrained(uint32_t round) = 0;

 protected:
  ~ServingEvents() = default;
};

class Serving final : public AcceptorOwner {
 public:
  // All outlive it. `connections` and `lag`: of all workers.
  Serving(Loop& loop, ServingEvents& events, const StatsRow& row, const ServerStatus& status,
          ConnectionLimit& connections, LagPeak& lag, uint32_t worker,
          const StatsGroup<WorkerStats>& stats);
  // Ends everything in flight.
  ~Serving();

  // Serves by `generation` from here on, which lives until OnGenerationUnused. `endpoints`: as
  // generation.clusters(); `listeners`: as generation.listeners(). After an error some listener
  // does not accept.
  Result<void> Use(const Generation& generation, const std::vector<EndpointSetPtr>& endpoints,
                   const std::vector<WorkerListener>& listeners);
  void UpdateCluster(const Cluster& cluster, EndpointSetPtr endpoints);

  // Accepts no more and lets everything in flight end.
  void Drain(uint32_t round);
  // Another process accepts: looks at the sockets no more, and asks the clients, spread over
  // `spread`, to come again. Idle ones are let go at its end.
  void Retire(uint32_t round, Nanos spread);
  // A process that accepted from the same sockets is gone, or stopped: what it was told of waits.
  void LookAgain();
  // Undoes Retire, as far as it can be.
  void Resume();
  // Asks the clients, spread over `spread`, to come again, and goes on to accept; also those that
  // come later, as long as it is not taken back.
  void AskToLeave(Nanos spread);
  void AskNoMore() { retire_timer_.Cancel(); }
  // Ends everything in flight.
  void Abort();
  // Closes an idle connection of a listener, of any if the name is empty.
  void MakeRoom(std::string_view listener);
  WorkerReport Report(const WorkerQuestion& question);

 private:
  // The acceptors of a listener, one for each socket.
  struct Entrance {
    std::string name;
    std::vector<int> sockets;
    std::vector<std::unique_ptr<Acceptor>> acceptors;

    bool empty() const;
  };

  class Leftovers;

  static constexpr Nanos kMeasureEvery = kSecond;
  static constexpr Nanos kMeasureLagEvery = 100 * kMillisecond;
  // Retire's: in so many steps.
  static constexpr int kRetireSteps = 50;

  // AcceptorOwner
  void OnConnectionCount(int change) override;
  void OnRoomWanted(Acceptor& wanting, bool overall) override;

  WorkerCluster& ClusterOf(const Cluster& cluster, const EndpointSetPtr& endpoints);
  Result<void> OpenEntrance(Entrance& entrance, const WorkerListener& listener,
                            ListenerRuntime& runtime);
  void BeginToEnd(uint32_t round);
  bool CloseOneIdle();
  void RetireSome();
  void DropUnused();
  void CheckDrained();
  void Measure();
  void MeasureLag();
  template <typename Visit>
  void ForEachAcceptor(Visit visit) {
    for (std::vector<Entrance>* list : {&entrances_, &leaving_}) {
      for (Entrance& entrance : *list) {
        for (const auto& acceptor : entrance.acceptors) visit(*acceptor);
      }
    }
  }

  Loop& loop_;
  ServingEvents& events_;
  const StatsRow row_;
  ConnectionLimit& limit_;
  LagPeak& lag_peak_;
  WorkerStats stats_;
  ProxyWorker proxy_;
  // The order of life: connections (in the acceptors) end before the factories that their streams
  // came from, in the generations, and these before the pools.
  std::unordered_map<const Cluster*, std::unique_ptr<WorkerCluster>> clusters_;
  std::vector<std::unique_ptr<WorkerGeneration>> generations_;  // the one in use last
  std::vector<Entrance> entrances_;                             // as the generation's listeners
  std::vector<Entrance> leaving_;
  Timer measure_;
  Timer measure_lag_;  // set while there are connections
  Timer retire_timer_;
  Task unused_task_;
  Task drained_task_;
  Nanos retire_step_ = 0;
  int retire_steps_left_ = 0;
  size_t connections_ = 0;
  uint64_t cpu_ = 0;
  double load_ = 0;
  Nanos lag_ = 0;
  uint32_t round_ = 0;
  bool ending_ = false;
  bool drained_told_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SERVING_H_
