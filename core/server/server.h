// Server: the process: its main thread's loop, signals, stats, workers, listening sockets, the
// admin listener. Created and run by a command; on the main thread.
//
//   starting -> live -> draining -> (stopped)
//
// It starts when every cluster has had its first answer from DNS, or after kWarmLimit. SIGTERM or
// SIGINT drains; what is left at the drain timeout, or at a second signal, is closed at once.
#ifndef SLUICE_CORE_SERVER_SERVER_H_
#define SLUICE_CORE_SERVER_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/event/signal_watch.h"
#include "core/filter/factory.h"
#include "core/net/listen_socket.h"
#include "core/server/admin/admin_source.h"
#include "core/server/connection_limit.h"
#include "core/server/server_stats.h"
#include "core/server/worker.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"

namespace sluice {

class AdminListener;
class Generation;

struct ServerOptions {
  std::string id = "sluice";
  uint32_t workers = 0;  // 0: one per core
  Nanos drain_timeout = 60 * kSecond;
  std::string user;
  std::string group;
  uint32_t max_connections = 0;  // 0: as many as the fd limit allows
  std::string stats_path;        // empty: memory of this process alone
  uint64_t stats_size = kStatsDefaultSize;
};

class Server final : private WorkerEvents, private AdminSource {
 public:
  static constexpr Nanos kWarmLimit = 5 * kSecond;
  // How long workers may take to close everything at once.
  static constexpr Nanos kAbortLimit = 2 * kSecond;

  // Watches for signals from here on.
  static Result<std::unique_ptr<Server>> Create(ServerOptions options);
  ~Server();

  // For building the generation.
  Loop& loop() { return *loop_; }
  LoadContext load_context();

  // Binds, becomes the user, starts the workers and the admin listener.
  Result<void> Start(std::unique_ptr<Generation> generation);
  // Runs until it has drained; returns the process' exit code. REQUIRES: Start succeeded.
  int Run();

 private:
  Server(ServerOptions options, std::unique_ptr<Clock> clock, std::unique_ptr<Loop> loop);
  Result<void> Init();
  Result<void> OpenStats();

  // WorkerEvents
  void OnWorkerAccepting(uint32_t worker, const Result<void>& result) override;
  void OnWorkerWantsRoom(uint32_t worker, size_t listener) override;
  void OnWorkerStoppedAccepting(uint32_t worker) override;
  void OnWorkerDrained(uint32_t worker) override;

  // AdminSource
  ServerState state() const override { return state_; }
  ServerSummary Summary() const override;
  StatsReader FreshStats() override;

  uint32_t LimitConnections();
  Result<void> OpenSockets();
  StatsGroup<WorkerStats> NewWorkerStats(uint32_t worker);
  Result<void> StartWorkers();
  void StartClusters();
  void OnClusterChanged(uint32_t cluster);
  void OnWarmLimit();
  void StartAccepting();
  void SetState(ServerState state);

  void OnEndSignal();
  void OnReopenSignal();
  void OnReloadSignal();
  void OnRestartSignal();
  void OnDrainTimeout();
  void OnAbortLimit();
  void Drain();
  void Abort();

  const ServerOptions options_;
  const std::unique_ptr<Clock> clock_;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<StatsSegment> segment_;
  std::unique_ptr<StatsDirectory> directory_;
  ServerStats stats_;
  ServerStatus status_;
  ServerState state_ = ServerState::kStarting;
  const Nanos started_;
  uint64_t fd_limit_ = 0;
  std::unique_ptr<ConnectionLimit> connections_;

  SignalWatch term_;
  SignalWatch int_;
  SignalWatch usr1_;
  SignalWatch hup_;
  SignalWatch usr2_;
  Timer warm_timer_;
  Timer drain_timer_;
  Timer abort_timer_;

  std::unique_ptr<Generation> generation_;
  std::vector<ListenSockets> sockets_;  // as generation_->listeners()
  ListenSockets admin_socket_;
  std::vector<StatsGroup<WorkerStats>> worker_stats_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<AdminListener> admin_;
  bool accepting_asked_ = false;
  uint32_t accepting_ = 0;
  size_t asked_for_room_ = 0;  // the worker that was asked last
  uint32_t stopped_accepting_ = 0;
  uint32_t drained_ = 0;
  int exit_code_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SERVER_H_
