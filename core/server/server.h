// Server: the process: its main thread's loop, signals, stats, workers, listening sockets, the
// configurations that are in use, the admin listener. Created and run by a command; on the main
// thread.
//
//   starting -> live -> handed over -> (gone)
//                |  <------/
//                +---> draining -> (gone)
//
// It starts when every cluster has had its first answer from DNS and of its checks, or after
// kWarmLimit. SIGTERM or SIGINT drains; what is left at the drain timeout, or at a second signal,
// is closed at once.
#ifndef SLUICE_CORE_SERVER_SERVER_H_
#define SLUICE_CORE_SERVER_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/event/signal_watch.h"
#include "core/filter/factory.h"
#include "core/server/admin/admin_control.h"
#include "core/server/admin/admin_source.h"
#include "core/server/admin/admin_table.h"
#include "core/server/admin/worker_survey.h"
#include "core/server/clusters.h"
#include "core/server/configuration/config_desk.h"
#include "core/server/connection_limit.h"
#include "core/server/listening.h"
#include "core/server/log_reopening.h"
#include "core/server/overload/figures_reader.h"
#include "core/server/overload/lag_peak.h"
#include "core/server/overload/overload_watch.h"
#include "core/server/restart/hot_restart.h"
#include "core/server/self_check.h"
#include "core/server/server_stats.h"
#include "core/server/system/system_figures.h"
#include "core/server/worker.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"
#include "core/upstream/breaker/breaker_board.h"

namespace sluice {

class AdminListener;
class ConfigGuard;
class ConfigWatch;
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
  HotRestartOptions restart;  // without a socket: no restart
  bool force = false;         // take over also while the restart before is not over
  bool watch = false;         // reads the configuration's files again when they change
};

class Server final : public ConfigTarget,
                     private WorkerEvents,
                     private AdminSource,
                     private AdminControl,
                     private HotRestartOwner {
 public:
  static constexpr Nanos kWarmLimit = 5 * kSecond;
  // How long workers may take to close everything at once.
  static constexpr Nanos kAbortLimit = 2 * kSecond;
  // At a restart clients are asked to come again spread over at most this.
  static constexpr Nanos kRetireSpread = 10 * kSecond;

  // Watches for signals from here on. Takes the listening sockets over from a process that runs as
  // the same instance, if there is one; blocks until they are here.
  static Result<std::unique_ptr<Server>> Create(ServerOptions options);
  ~Server();

  // For building a generation.
  Loop& loop() { return *loop_; }
  Clusters& clusters() { return *clusters_; }
  LoadContext load_context();
  Result<std::unique_ptr<Generation>> Build(LoadedConfig loaded);

  // Why it does not come to Start: for the predecessor, which goes on.
  void GiveUp(std::string_view reason);

  // Binds, becomes the user, starts the workers and the admin listener. `desk`: through which other
  // configurations come, this server being its target; null: there are none.
  Result<void> Start(std::unique_ptr<Generation> generation, std::unique_ptr<ConfigDesk> desk);
  // Runs until it has drained; returns the process' exit code. REQUIRES: Start succeeded.
  int Run();

  // ConfigTarget
  std::string WhyNoConfig() const override;
  void OnConfigComing() override;
  Result<void> UseConfig(LoadedConfig loaded) override;
  Result<void> TryConfig(LoadedConfig loaded) override;

 private:
  Server(ServerOptions options, std::unique_ptr<Clock> clock, std::unique_ptr<Loop> loop);
  Result<void> Init();
  Result<void> TakeOver();
  Result<void> OpenStats();

  // WorkerEvents
  void OnWorkerUses(uint32_t worker, const Generation& generation,
                    const Result<void>& result) override;
  void OnWorkerReleases(uint32_t worker, const Generation& generation) override;
  void OnWorkerWantsRoom(uint32_t worker, std::string_view listener) override;
  void OnWorkerStoppedAccepting(uint32_t worker) override;
  void OnWorkerDrained(uint32_t worker, uint32_t round) override;

  // AdminSource
  ServerState state() const override;
  ServerSummary Summary() const override;
  StatsReader FreshStats() override;
  ServerReport Report() const override;
  std::vector<ListenerReport> Listeners() const override;
  const std::vector<Cluster*>& UsedClusters() const override;
  StatsMemoryUse StatsMemory() const override;

  // AdminControl
  Result<void> SetOut(bool out) override;
  Result<std::string> Reload(const std::string& who) override;
  void ReopenLogs() override { OnReopenSignal(); }
  Result<void> Stop() override;
  void Restart(RestartCommand& command) override;
  void ForgetRestart(RestartCommand& command) override;
  Result<void> SetEndpointDrained(std::string_view cluster, std::string_view address,
                                  bool drained) override;

  // HotRestartOwner
  std::vector<OfferedSocket> SocketsToOffer() override { return listening_.Offer(); }
  Nanos OnHandOver() override;
  void OnHandOverUndone() override;
  std::string WhyNoSuccessor() const override;
  void OnOtherLost() override;
  void OnReplaced() override;
  void OnTakenBack(std::string_view why) override;
  void OnReopenLogsAsked() override { ReopenOwnLogs(); }
  void OnEndAsked() override { Abort(); }
  void OnServerCommand(std::string_view name, const std::vector<std::string>& arguments,
                       RestartCommand& command) override;
  void OnServerCommandGone(RestartCommand& command) override;

  // A generation, and how many workers are not done with it.
  struct Served {
    std::unique_ptr<Generation> generation;
    uint32_t not_yet_used = 0;
    uint32_t not_released = 0;
  };

  const Generation& current() const { return *served_.back().generation; }
  uint32_t LimitConnections();
  StatsGroup<WorkerStats> NewWorkerStats(uint32_t worker);
  Result<void> StartWorkers();
  void OnKeepAliveStep(bool taken);
  void OnClusterChanged(const Cluster& cluster);
  void OnWarmLimit();
  void StartAccepting();
  void OnSelfChecked(const Result<void>& result);
  void UseEverywhere();
  void DropReleased();
  void SetState(ServerState state);
  // Whether this process is the one whose configuration is looked after.
  void TendConfig(bool tend);
  Result<ConfigOutcome> ReloadFile(ConfigAsker asker);
  void RunConfigCommand(std::string_view name, const std::vector<std::string>& arguments,
                        RestartCommand& command);
  void ReopenOwnLogs();
  Result<void> StartAdmin();
  std::vector<FilterLog> Logs() const;

  void OnEndSignal();
  void OnReopenSignal();
  void OnReloadSignal();
  void OnRestartSignal();
  void OnDrainTimeout();
  void OnAbortLimit();
  void Drain();
  void Abort();

  ServerOptions options_;
  const std::unique_ptr<Clock> clock_;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<StatsSegment> segment_;
  std::unique_ptr<StatsDirectory> directory_;
  ServerStats stats_;
  ServerStatus status_;
  ServerState state_ = ServerState::kStarting;
  const Nanos started_;
  uint64_t fd_limit_ = 0;
  uint64_t last_version_ = 0;
  std::unique_ptr<ConnectionLimit> connections_;
  std::unique_ptr<ConfigDesk> desk_;
  std::unique_ptr<ConfigGuard> guard_;
  std::unique_ptr<ConfigWatch> watch_;

  SignalWatch term_;
  SignalWatch int_;
  SignalWatch usr1_;
  SignalWatch hup_;
  SignalWatch usr2_;
  Timer warm_timer_;
  Timer drain_timer_;
  Timer abort_timer_;

  std::optional<BreakerBoard> breakers_;
  std::unique_ptr<Clusters> clusters_;
  std::vector<Served> served_;  // the one in use last
  Listening listening_;
  std::vector<StatsGroup<WorkerStats>> worker_stats_;
  std::vector<std::unique_ptr<Worker>> workers_;
  AdminTable admin_table_;
  std::optional<WorkerSurveys> surveys_;
  std::unique_ptr<AdminListener> admin_;
  std::optional<HotRestart> restart_;
  std::optional<SystemFigures> system_;
  LagPeak lag_;
  std::optional<FiguresReader> overload_figures_;
  std::optional<OverloadWatch> overload_;
  std::optional<LogReopening> reopening_;
  std::unique_ptr<SelfCheck> self_check_;
  RestartCommand* stop_command_ = nullptr;
  bool accepting_asked_ = false;
  bool checked_ = false;  // by itself: workers may use configurations
  bool handed_over_ = false;
  bool taken_back_ = false;
  bool out_ = false;  // POST /drain
  uint32_t stopped_accepting_ = 0;
  uint32_t drain_round_ = 0;  // counts hand-overs and drains: what came of an earlier one is late
  uint32_t drained_ = 0;
  int end_signals_ = 0;
  int exit_code_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SERVER_H_
