#include "core/server/server.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/snapshot.h"
#include "core/server/admin/admin_listener.h"
#include "core/server/configuration/config_guard.h"
#include "core/server/configuration/config_watch.h"
#include "core/server/generation.h"
#include "core/server/notify.h"
#include "core/server/process.h"
#include "core/server/restart/step.h"

namespace sluice {
namespace {

// Logs, loops, the admin listener and its clients, DNS.
constexpr uint64_t kOwnFds = 64;
constexpr uint64_t kFdsPerWorker = 4;

void LogInfo(std::string_view message) { Log(LogLevel::kInfo, "server", message); }

std::string Seconds(Nanos time) {
  const auto tenths = static_cast<uint64_t>(time / (kSecond / 10));
  return tenths % 10 == 0 ? StrCat({Decimal(tenths / 10), "s"})
                          : StrCat({Decimal(tenths / 10), ".", Decimal(tenths % 10), "s"});
}

}  // namespace

std::string_view ServerStateName(ServerState state) {
  constexpr std::string_view kNames[] = {"STARTING", "LIVE", "DRAINING"};
  return kNames[static_cast<size_t>(state)];
}

Result<std::unique_ptr<Server>> Server::Create(ServerOptions options) {
  if (options.workers == 0) options.workers = AvailableCores();
  auto clock = std::make_unique<SystemClock>();
  Result<std::unique_ptr<Loop>> loop = Loop::Create(*clock);
  if (!loop) return Fail(std::move(loop).error());
  std::unique_ptr<Server> server(
      new Server(std::move(options), std::move(clock), std::move(*loop)));
  Result<void> ready = server->Init();
  if (!ready) {
    server->GiveUp(ready.error().detail);
    return Fail(std::move(ready).error());
  }
  return server;
}

Server::Server(ServerOptions options, std::unique_ptr<Clock> clock, std::unique_ptr<Loop> loop)
    : options_(std::move(options)),
      clock_(std::move(clock)),
      loop_(std::move(loop)),
      started_(loop_->now()),
      term_(Callback::To<&Server::OnEndSignal>(this)),
      int_(Callback::To<&Server::OnEndSignal>(this)),
      usr1_(Callback::To<&Server::OnReopenSignal>(this)),
      hup_(Callback::To<&Server::OnReloadSignal>(this)),
      usr2_(Callback::To<&Server::OnRestartSignal>(this)),
      warm_timer_(*loop_, Callback::To<&Server::OnWarmLimit>(this)),
      drain_timer_(*loop_, Callback::To<&Server::OnDrainTimeout>(this)),
      abort_timer_(*loop_, Callback::To<&Server::OnAbortLimit>(this)),
      listening_(options_.workers) {}

Result<void> Server::Init() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a log at its limit is an error like a full disk
  SLUICE_TRY(term_.Start(*loop_, SIGTERM));
  SLUICE_TRY(int_.Start(*loop_, SIGINT));
  SLUICE_TRY(usr1_.Start(*loop_, SIGUSR1));
  SLUICE_TRY(hup_.Start(*loop_, SIGHUP));
  SLUICE_TRY(usr2_.Start(*loop_, SIGUSR2));
  SLUICE_TRY(TakeOver());
  // Signals were heard meanwhile.
  if (end_signals_ > 0) return Fail(Code::kUnavailable, "it was asked to end");
  SLUICE_TRY(OpenStats());
  RestartStep(restart_step::kStatsAttached);
  breakers_.emplace(*loop_, *directory_);
  clusters_ =
      std::make_unique<Clusters>(*loop_, *directory_, *breakers_,
                                 [this](const Cluster& cluster) { OnClusterChanged(cluster); });
  stats_ = StatsScope(*directory_).Group<ServerStats>().Bind(directory_->main_row());
  stats_.build_info.Set(1);
  stats_.start_time.Set(loop_->wall() / kSecond);
  stats_.workers.Set(options_.workers);
  fd_limit_ = RaiseFdLimit();
  system_.emplace(
      *loop_, *directory_,
      SystemSources{[this] { return listening_.Sockets(); }, [this] { return LogPaths(Logs()); }});
  reopening_.emplace(*loop_, stats_.log_reopen_errors, [this] { return Logs(); });
  return {};
}

Result<void> Server::OpenStats() {
  StatsOptions stats;
  stats.workers = options_.workers;
  stats.size = options_.stats_size;
  if (!options_.user.empty()) {
    const Result<uid_t> user = FindUser(options_.user);
    if (!user) return Fail(user.error());
    stats.owner = *user;
  }
  Result<std::unique_ptr<StatsSegment>> segment =
      options_.stats_path.empty() ? StatsSegment::Create(stats)
                                  : StatsSegment::Attach(options_.stats_path, stats);
  if (!segment) return Fail(std::move(segment).error());
  segment_ = std::move(*segment);
  directory_ = std::make_unique<StatsDirectory>(*segment_);
  return {};
}

// Streams before pools before loops: the admin's connections and the workers' threads end first,
// then what they borrowed.
Server::~Server() {
  restart_.reset();
  self_check_.reset();
  admin_.reset();
  watch_.reset();
  guard_.reset();
  desk_.reset();
  workers_.clear();
}

LoadContext Server::load_context() {
  // Start says what is wrong with them.
  const FileOwner files = FindIdentity(options_.user, options_.group).value_or(FileOwner{});
  return LoadContext{*directory_,      *clock_, status_, "",
                     options_.workers, files,   false,   &*breakers_};
}

Result<void> Server::TakeOver() {
  if (options_.restart.socket.empty()) return {};
  const FileOwner owner = FindIdentity(options_.user, options_.group).value_or(FileOwner{});
  options_.restart.user = owner.user;
  options_.restart.group = owner.group;
  HotRestartOwner& restart_owner = *this;
  restart_.emplace(*loop_, restart_owner, options_.restart);
  Result<std::vector<InheritedSocket>> sockets = restart_->TakeOver(options_.force);
  if (!sockets) return Fail(std::move(sockets).error());
  listening_.Inherit(std::move(*sockets));
  return {};
}

void Server::GiveUp(std::string_view reason) {
  if (!restart_) return;
  restart_->GiveUp(reason);
}

Result<void> Server::Start(std::unique_ptr<Generation> generation,
                           std::unique_ptr<ConfigDesk> desk) {
  desk_ = std::move(desk);
  served_.push_back({std::move(generation), 0, 0});
  connections_ = std::make_unique<ConnectionLimit>(LimitConnections());
  stats_.max_connections.Set(connections_->most());
  overload_figures_.emplace("/proc", *connections_, fd_limit_, lag_);
  overload_.emplace(
      *loop_, *directory_, status_, [this] { return overload_figures_->Read(); },
      [this](bool taken) { OnKeepAliveStep(taken); });
  SLUICE_TRY(listening_.Open(current()));
  SLUICE_TRY(DropPrivileges(options_.user, options_.group));
  SLUICE_TRY(StartWorkers());
  SLUICE_TRY(StartAdmin());
  clusters_->Start(current().clusters());
  if (current().warm()) {
    StartAccepting();
  } else {
    warm_timer_.Start(kWarmLimit);
  }
  return {};
}

uint32_t Server::LimitConnections() {
  const uint64_t reserved =
      kOwnFds + options_.workers * (kFdsPerWorker + current().listeners().size());
  const uint32_t fits = ConnectionsFor(fd_limit_, reserved);
  if (options_.max_connections == 0) return fits;
  if (options_.max_connections > fits) {
    Log(LogLevel::kWarning, "server",
        StrCat({"max_connections is ", Decimal(options_.max_connections), ", but the limit of ",
                Decimal(fd_limit_), " open files has room for ", Decimal(fits),
                " with a connection upstream each: raise it (ulimit -Hn, LimitNOFILE)"}));
  }
  return options_.max_connections;
}

StatsGroup<WorkerStats> Server::NewWorkerStats(uint32_t worker) {
  return StatsScope(*directory_, {{"worker", Decimal(worker)}}).Group<WorkerStats>();
}

Result<void> Server::StartWorkers() {
  // All of them first: threads borrow the groups.
  for (uint32_t i = 0; i < options_.workers; ++i) worker_stats_.push_back(NewWorkerStats(i));
  const Worker::Environment environment{*loop_, *this, status_, *connections_, lag_};
  for (uint32_t i = 0; i < options_.workers; ++i) {
    Result<std::unique_ptr<Worker>> worker =
        Worker::Create(i, *clock_, environment, segment_->worker_row(i), worker_stats_[i]);
    if (!worker) return Fail(std::move(worker).error());
    workers_.push_back(std::move(*worker));
    SLUICE_TRY(workers_.back()->Start());
  }
  return {};
}

// Each response ends its connection as long as the step is taken; those that wait for no response
// are asked to leave, a few at a time.
void Server::OnKeepAliveStep(bool taken) {
  if (state_ != ServerState::kLive || handed_over_ || out_) return;  // they are leaving anyway
  for (const auto& worker : workers_)
    taken ? worker->AskToLeave(kRetireSpread) : worker->AskNoMore();
}

void Server::OnClusterChanged(const Cluster& cluster) {
  for (const auto& worker : workers_) worker->UpdateCluster(cluster);
  if (state_ == ServerState::kStarting && current().warm()) StartAccepting();
}

void Server::OnWarmLimit() {
  std::string names;
  for (const Cluster* cluster : current().clusters()) {
    if (!cluster->warm()) names += StrCat({names.empty() ? "" : ", ", cluster->settings().name});
  }
  Log(LogLevel::kWarning, "server",
      StrCat(
          {"starting before the endpoints of these clusters are resolved and checked: ", names}));
  StartAccepting();
}

void Server::StartAccepting() {
  if (accepting_asked_ || state_ != ServerState::kStarting) return;
  accepting_asked_ = true;
  warm_timer_.Cancel();
  self_check_ = std::make_unique<SelfCheck>(current(), *loop_, segment_->main_row().Discarding(),
                                            status_, options_.workers);
  self_check_->Start(options_.restart.ready_timeout,
                     [this](const Result<void>& result) { OnSelfChecked(result); });
}

void Server::OnSelfChecked(const Result<void>& result) {
  if (state_ != ServerState::kStarting) return;  // it was asked to end
  checked_ = true;
  RestartStep(restart_step::kChecked);
  if (result) return UseEverywhere();
  Log(LogLevel::kError, "server", StrCat({"not starting: ", result.error().detail}));
  exit_code_ = 1;
  GiveUp(result.error().detail);
  Abort();
}

void Server::UseEverywhere() {
  if (current().snapshot() != nullptr) overload_->Use(current().snapshot()->config().overload());
  Served& served = served_.back();
  served.not_yet_used = served.not_released = options_.workers;
  for (const auto& worker : workers_) {
    worker->Use(current(), listening_.ForWorker(current(), worker->index()));
  }
}

void Server::OnWorkerUses(uint32_t worker, const Generation& generation,
                          const Result<void>& result) {
  if (!result) {
    Log(LogLevel::kError, "server",
        StrCat({"worker ", Decimal(worker), " cannot accept: ", result.error().detail}));
    if (state_ == ServerState::kStarting) {
      exit_code_ = 1;
      GiveUp(result.error().detail);
      return Abort();
    }
  }
  const auto served = std::find_if(served_.begin(), served_.end(), [&](const Served& each) {
    return each.generation.get() == &generation;
  });
  if (served == served_.end() || --served->not_yet_used > 0 || &generation != &current()) return;
  listening_.Keep(generation);
  if (state_ != ServerState::kStarting) return;
  SetState(ServerState::kLive);
  system_->SetServing(true);
  self_check_.reset();
  DropReleased();
  RestartStep(restart_step::kAccepting);
  if (restart_) {
    if (const Result<void> serving = restart_->Serve(); !serving) {
      Log(LogLevel::kWarning, "restart", serving.error().detail);
      if (restart_->has_predecessor()) OnTakenBack("it has no way to hand over to us");
    }
  }
  if (state_ != ServerState::kLive) return;  // taken back
  if (!restart_ || !restart_->has_predecessor()) listening_.RemoveUnclaimedFiles();
  if (desk_ != nullptr) desk_->OnLive();
  TendConfig(true);
  listening_.OwnFiles();
  LogInfo(
      StrCat({"ready: ", Decimal(workers_.size()), workers_.size() == 1 ? " worker" : " workers",
              ", at most ", Decimal(connections_->most()), " connections"}));
}

void Server::OnWorkerReleases(uint32_t, const Generation& generation) {
  const auto served = std::find_if(served_.begin(), served_.end(), [&](const Served& each) {
    return each.generation.get() == &generation;
  });
  if (served != served_.end() && --served->not_released == 0) DropReleased();
}

void Server::DropReleased() {
  if (self_check_ != nullptr) return;  // it holds what it checks
  std::erase_if(served_, [this](const Served& each) {
    return each.generation.get() != &current() && each.not_released == 0;
  });
  if (served_.size() == 1) listening_.ForgetLeaving();
  clusters_->Sweep([this](const Cluster& cluster) {
    return std::any_of(served_.begin(), served_.end(), [&cluster](const Served& each) {
      const std::vector<Cluster*>& used = each.generation->clusters();
      return std::find(used.begin(), used.end(), &cluster) != used.end();
    });
  });
}

void Server::OnWorkerWantsRoom(uint32_t worker, std::string_view listener) {
  for (const auto& other : workers_) {
    if (other->index() != worker) other->MakeRoom(listener);
  }
}

void Server::SetState(ServerState state) {
  state_ = state;
  stats_.ready.Set(state == ServerState::kLive ? 1 : 0);
  stats_.draining.Set(state == ServerState::kDraining ? 1 : 0);
  status_.set_draining(state == ServerState::kDraining);
  status_.set_closing(state == ServerState::kDraining);
}

int Server::Run() {
  loop_->Run();
  if (stop_command_ != nullptr) std::exchange(stop_command_, nullptr)->Finish(true, "it has ended");
  LogInfo("stopped");
  return exit_code_;
}

void Server::OnEndSignal() {
  const bool first = ++end_signals_ == 1;
  if (segment_ == nullptr) return;  // Init sees it
  if (first) {
    if (state_ != ServerState::kDraining && !handed_over_) Drain();
    return;
  }
  LogInfo("a second signal: closing everything at once");
  exit_code_ = 1;
  Abort();
}

void Server::Drain() {
  SetState(ServerState::kDraining);
  TendConfig(false);
  if (!taken_back_) NotifyStarter("STOPPING=1");
  warm_timer_.Cancel();
  if (restart_) restart_->Close();
  LogInfo(StrCat({"draining: ", Decimal(connections_->active()), " connections, at most ",
                  Seconds(options_.drain_timeout)}));
  ++drain_round_;
  drained_ = 0;
  for (const auto& worker : workers_) worker->Drain(drain_round_);
  drain_timer_.Start(options_.drain_timeout);
}

void Server::OnDrainTimeout() {
  Log(LogLevel::kWarning, "server",
      StrCat({"the drain timeout is over: closing ", Decimal(connections_->active()),
              " connections"}));
  Abort();
}

void Server::Abort() {
  if (!handed_over_) SetState(ServerState::kDraining);
  drain_timer_.Cancel();
  if (abort_timer_.pending()) return;
  for (const auto& worker : workers_) worker->Abort();
  abort_timer_.Start(kAbortLimit);
}

void Server::OnAbortLimit() {
  Log(LogLevel::kError, "server", "a worker does not end: leaving without it");
  listening_.RemoveFiles();
  _exit(1);
}

// Nobody polls the sockets any more: new clients are refused, rather than left in a queue that is
// reset at the end.
void Server::OnWorkerStoppedAccepting(uint32_t) {
  if (++stopped_accepting_ < workers_.size()) return;
  listening_.CloseAll();
}

void Server::OnWorkerDrained(uint32_t, uint32_t round) {
  if (round != drain_round_ || (state_ != ServerState::kDraining && !handed_over_)) return;
  if (++drained_ < workers_.size()) return;
  RestartStep(restart_step::kDrained);
  loop_->Stop();
}

// Restarts ------------------------------------------------------------------------------------

Nanos Server::OnHandOver() {
  handed_over_ = true;
  system_->SetServing(false);
  TendConfig(false);
  ++drain_round_;
  drained_ = 0;
  listening_.LeaveFiles();
  if (admin_ != nullptr) admin_->StopAccepting();
  for (const auto& worker : workers_) {
    worker->Retire(drain_round_, std::min(options_.drain_timeout / 2, kRetireSpread));
  }
  drain_timer_.Start(options_.drain_timeout);
  return options_.drain_timeout + kAbortLimit;
}

void Server::OnHandOverUndone() {
  handed_over_ = false;
  drain_timer_.Cancel();
  listening_.OwnFiles();
  if (abort_timer_.pending()) return;  // it is over already
  LogInfo("accepting again");
  TendConfig(true);
  system_->SetServing(true);
  if (admin_ != nullptr) admin_->ResumeAccepting();
  for (const auto& worker : workers_) {
    worker->Resume();
    if (out_) worker->AskToLeave(kRetireSpread);
  }
}

std::string Server::WhyNoSuccessor() const {
  if (state_ == ServerState::kStarting) return "this process is still starting";
  return state_ == ServerState::kDraining ? "this process is ending" : "";
}

void Server::OnOtherLost() {
  for (const auto& worker : workers_) worker->LookAgain();
}

void Server::OnReplaced() {
  if (!taken_back_) listening_.RemoveUnclaimedFiles();
}

void Server::OnTakenBack(std::string_view why) {
  exit_code_ = 1;
  taken_back_ = true;
  listening_.LeaveFiles();
  if (state_ == ServerState::kStarting) {
    Log(LogLevel::kError, "server", StrCat({"not starting: ", why}));
    return Abort();
  }
  Drain();
}

void Server::OnServerCommand(std::string_view name, const std::vector<std::string>& arguments,
                             RestartCommand& command) {
  if (name == "reload" || name == "rollback") return RunConfigCommand(name, arguments, command);
  if (name == "stop") {
    if (stop_command_ != nullptr) return command.Finish(false, "it is ending already");
    stop_command_ = &command;
    if (state_ != ServerState::kDraining) Drain();
    return;
  }
  command.Finish(false, StrCat({"there is no command \"", name, "\""}));
}

void Server::OnServerCommandGone(RestartCommand& command) {
  if (stop_command_ == &command) stop_command_ = nullptr;
}

void Server::OnRestartSignal() {
  if (restart_) restart_->Start(nullptr);
}

void Server::OnReopenSignal() {
  ReopenOwnLogs();
  if (restart_) restart_->ReopenLogs();
}

std::vector<FilterLog> Server::Logs() const {
  std::vector<FilterLog> logs;
  for (const Served& each : served_) {
    for (FilterLog& log : each.generation->Logs()) logs.push_back(std::move(log));
  }
  return logs;
}

void Server::ReopenOwnLogs() {
  if (!reopening_) return;  // the log was opened a moment ago, and there are no others
  for (const Served& each : served_) each.generation->ReopenLogs();
  reopening_->Start();
}

}  // namespace sluice
