#include "core/server/server.h"

#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/config/snapshot.h"
#include "core/server/admin/admin_listener.h"
#include "core/server/generation.h"
#include "core/server/process.h"

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
  SLUICE_TRY(server->Init());
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
      abort_timer_(*loop_, Callback::To<&Server::OnAbortLimit>(this)) {}

Result<void> Server::Init() {
  signal(SIGPIPE, SIG_IGN);
  SLUICE_TRY(term_.Start(*loop_, SIGTERM));
  SLUICE_TRY(int_.Start(*loop_, SIGINT));
  SLUICE_TRY(usr1_.Start(*loop_, SIGUSR1));
  SLUICE_TRY(hup_.Start(*loop_, SIGHUP));
  SLUICE_TRY(usr2_.Start(*loop_, SIGUSR2));
  SLUICE_TRY(OpenStats());
  stats_ = StatsScope(*directory_).Group<ServerStats>().Bind(directory_->main_row());
  stats_.build_info.Set(1);
  stats_.start_time.Set(loop_->wall() / kSecond);
  stats_.workers.Set(options_.workers);
  fd_limit_ = RaiseFdLimit();
  stats_.max_fds.Set(static_cast<int64_t>(fd_limit_));
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
  admin_.reset();
  workers_.clear();
  for (const ListenSockets& sockets : sockets_) RemoveSocketFile(sockets.address);
  RemoveSocketFile(admin_socket_.address);
}

LoadContext Server::load_context() {
  // Start says what is wrong with them.
  const FileOwner files = FindIdentity(options_.user, options_.group).value_or(FileOwner{});
  return LoadContext{*directory_, *clock_, status_, "", options_.workers, files, false};
}

Result<void> Server::Start(std::unique_ptr<Generation> generation) {
  generation_ = std::move(generation);
  if (generation_->snapshot() != nullptr) {
    stats_.config_version.Set(static_cast<int64_t>(generation_->snapshot()->version()));
  }
  connections_ = std::make_unique<ConnectionLimit>(LimitConnections());
  stats_.max_connections.Set(connections_->most());
  SLUICE_TRY(OpenSockets());
  SLUICE_TRY(DropPrivileges(options_.user, options_.group));
  SLUICE_TRY(StartWorkers());
  if (generation_->admin()) {
    AdminSource& source = *this;
    admin_ = std::make_unique<AdminListener>(*loop_, *directory_, status_, source);
    SLUICE_TRY(admin_->Start(admin_socket_.fds[0].get()));
  }
  StartClusters();
  return {};
}

uint32_t Server::LimitConnections() {
  const uint64_t reserved =
      kOwnFds + options_.workers * (kFdsPerWorker + generation_->listeners().size());
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

Result<void> Server::OpenSockets() {
  for (const Generation::Listener& listener : generation_->listeners()) {
    Result<ListenSockets> sockets =
        OpenListenSockets(listener.place.address, options_.workers, listener.place.options);
    if (!sockets) {
      return Fail(sockets.error().code,
                  StrCat({"listener \"", listener.settings->name, "\": ", sockets.error().detail}));
    }
    sockets_.push_back(std::move(*sockets));
    Log(LogLevel::kInfo, "listener",
        StrCat({listener.settings->name, " on ", sockets_.back().address.ToString()}));
  }
  if (!generation_->admin()) return {};
  Result<ListenSockets> sockets =
      OpenListenSockets(generation_->admin()->address, 1, generation_->admin()->options);
  if (!sockets) return Fail(sockets.error().code, StrCat({"admin: ", sockets.error().detail}));
  admin_socket_ = std::move(*sockets);
  Log(LogLevel::kInfo, "listener", StrCat({"admin on ", admin_socket_.address.ToString()}));
  return {};
}

StatsGroup<WorkerStats> Server::NewWorkerStats(uint32_t worker) {
  return StatsScope(*directory_, {{"worker", Decimal(worker)}}).Group<WorkerStats>();
}

Result<void> Server::StartWorkers() {
  // All of them first: threads borrow the groups.
  for (uint32_t i = 0; i < options_.workers; ++i) worker_stats_.push_back(NewWorkerStats(i));
  const Worker::Environment environment{*loop_, *this, status_, *connections_};
  for (uint32_t i = 0; i < options_.workers; ++i) {
    Result<std::unique_ptr<Worker>> worker =
        Worker::Create(i, *clock_, environment, segment_->worker_row(i), worker_stats_[i]);
    if (!worker) return Fail(std::move(worker).error());
    workers_.push_back(std::move(*worker));
    SLUICE_TRY(workers_.back()->Start(*generation_));
  }
  return {};
}

void Server::StartClusters() {
  for (uint32_t i = 0; i < generation_->clusters().size(); ++i) {
    generation_->clusters()[i]->Start([this, i] { OnClusterChanged(i); });
  }
  if (generation_->warm()) return StartAccepting();
  warm_timer_.Start(kWarmLimit);
}

void Server::OnClusterChanged(uint32_t cluster) {
  for (const auto& worker : workers_) {
    worker->UpdateCluster(cluster, generation_->clusters()[cluster]->endpoints());
  }
  if (generation_->warm()) StartAccepting();
}

void Server::OnWarmLimit() {
  std::string names;
  for (const auto& cluster : generation_->clusters()) {
    if (!cluster->warm()) names += StrCat({names.empty() ? "" : ", ", cluster->settings().name});
  }
  Log(LogLevel::kWarning, "server",
      StrCat({"starting before the names of these clusters are resolved: ", names}));
  StartAccepting();
}

void Server::StartAccepting() {
  if (accepting_asked_ || state_ != ServerState::kStarting) return;
  accepting_asked_ = true;
  warm_timer_.Cancel();
  for (const auto& worker : workers_) {
    std::vector<int> fds;
    for (const ListenSockets& sockets : sockets_) {
      const size_t own = sockets.fds.size() > 1 ? worker->index() : 0;
      fds.push_back(sockets.fds[own].get());
    }
    worker->StartAccepting(std::move(fds));
  }
}

void Server::OnWorkerAccepting(uint32_t worker, const Result<void>& result) {
  if (!result) {
    Log(LogLevel::kError, "server",
        StrCat({"worker ", Decimal(worker), " cannot accept: ", result.error().detail}));
    exit_code_ = 1;
    return Abort();
  }
  if (++accepting_ < workers_.size() || state_ != ServerState::kStarting) return;
  SetState(ServerState::kLive);
  LogInfo(
      StrCat({"ready: ", Decimal(workers_.size()), workers_.size() == 1 ? " worker" : " workers",
              ", at most ", Decimal(connections_->most()), " connections"}));
}

void Server::SetState(ServerState state) {
  state_ = state;
  stats_.ready.Set(state == ServerState::kLive ? 1 : 0);
  stats_.draining.Set(state == ServerState::kDraining ? 1 : 0);
  status_.set_draining(state == ServerState::kDraining);
}

int Server::Run() {
  loop_->Run();
  LogInfo("stopped");
  return exit_code_;
}

void Server::OnEndSignal() {
  if (state_ != ServerState::kDraining) return Drain();
  LogInfo("a second signal: closing everything at once");
  exit_code_ = 1;
  Abort();
}

void Server::Drain() {
  SetState(ServerState::kDraining);
  warm_timer_.Cancel();
  LogInfo(StrCat({"draining: ", Decimal(connections_->active()), " connections, at most ",
                  Seconds(options_.drain_timeout)}));
  for (const auto& worker : workers_) worker->Drain();
  drain_timer_.Start(options_.drain_timeout);
}

void Server::OnDrainTimeout() {
  Log(LogLevel::kWarning, "server",
      StrCat({"the drain timeout is over: closing ", Decimal(connections_->active()),
              " connections"}));
  Abort();
}

void Server::Abort() {
  SetState(ServerState::kDraining);
  drain_timer_.Cancel();
  if (abort_timer_.pending()) return;
  for (const auto& worker : workers_) worker->Abort();
  abort_timer_.Start(kAbortLimit);
}

void Server::OnAbortLimit() {
  Log(LogLevel::kError, "server", "a worker does not end: leaving without it");
  for (const ListenSockets& sockets : sockets_) RemoveSocketFile(sockets.address);
  RemoveSocketFile(admin_socket_.address);
  _exit(1);
}

// One at a time, in turn: each may close a connection, and only one is wanted.
void Server::OnWorkerWantsRoom(uint32_t worker, size_t listener) {
  if (workers_.size() < 2) return;
  do {
    asked_for_room_ = (asked_for_room_ + 1) % workers_.size();
  } while (asked_for_room_ == worker);
  workers_[asked_for_room_]->MakeRoom(listener);
}

// Nobody polls the sockets any more: new clients are refused, rather than left in a queue that is
// reset at the end.
void Server::OnWorkerStoppedAccepting(uint32_t) {
  if (++stopped_accepting_ < workers_.size()) return;
  for (ListenSockets& sockets : sockets_) sockets.fds.clear();
}

void Server::OnWorkerDrained(uint32_t) {
  if (++drained_ == workers_.size()) loop_->Stop();
}

void Server::OnReopenSignal() {
  if (const Result<void> reopened = ReopenLog(); !reopened) {
    Log(LogLevel::kError, "server", reopened.error().detail);
  }
  if (generation_ != nullptr) generation_->ReopenLogs();
  LogInfo("logs are open anew");
}

void Server::OnReloadSignal() {
  LogInfo("SIGHUP is ignored: reloading the configuration comes later");
}

void Server::OnRestartSignal() { LogInfo("SIGUSR2 is ignored: hot restart comes later"); }

ServerSummary Server::Summary() const {
  ServerSummary summary;
  summary.id = options_.id;
  summary.state = state_;
  summary.uptime = loop_->now() - started_;
  summary.workers = options_.workers;
  summary.config_version = 0;
  if (generation_->snapshot() != nullptr) {
    summary.config_file = generation_->snapshot()->file();
    summary.config_version = generation_->snapshot()->version();
  }
  for (size_t i = 0; i < sockets_.size(); ++i) {
    summary.listeners.push_back(
        {generation_->listeners()[i].settings->name, sockets_[i].address.ToString()});
  }
  return summary;
}

StatsReader Server::FreshStats() {
  stats_.resident_bytes.Set(static_cast<int64_t>(ResidentBytes()));
  stats_.open_fds.Set(static_cast<int64_t>(OpenFds()));
  directory_->CountPageFailures();
  return StatsReader(*segment_);
}

}  // namespace sluice
