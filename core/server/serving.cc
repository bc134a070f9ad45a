#include "core/server/serving.h"

#include <algorithm>
#include <ctime>
#include <iterator>
#include <utility>

namespace sluice {
namespace {

// Connections that were told to end need a few turns for it: their tasks and their retirement.
constexpr int kMostTurnsToEnd = 1000;

uint64_t ThreadCpuMicros() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 +
         static_cast<uint64_t>(time.tv_nsec) / 1000;
}

}  // namespace

bool Serving::Entrance::empty() const {
  return std::all_of(acceptors.begin(), acceptors.end(),
                     [](const auto& acceptor) { return acceptor->empty(); });
}

Serving::Serving(Loop& loop, ServingEvents& events, const StatsRow& row, const ServerStatus& status,
                 ConnectionLimit& connections, LagPeak& lag, uint32_t worker,
                 const StatsGroup<WorkerStats>& stats)
    : loop_(loop),
      events_(events),
      row_(row),
      limit_(connections),
      lag_peak_(lag),
      stats_(stats.Bind(row)),
      proxy_(loop, row, status, worker),
      measure_(loop, Callback::To<&Serving::Measure>(this)),
      measure_lag_(loop, Callback::To<&Serving::MeasureLag>(this)),
      retire_timer_(loop, Callback::To<&Serving::RetireSome>(this)),
      unused_task_(Callback::To<&Serving::DropUnused>(this)),
      drained_task_(Callback::To<&Serving::CheckDrained>(this)) {
  measure_.Start(kMeasureEvery);
}

Serving::~Serving() {
  Abort();
  for (int turn = 0; connections_ > 0 && turn < kMostTurnsToEnd; ++turn) loop_.RunOnce(0);
  entrances_.clear();
  leaving_.clear();
  proxy_.mirrors.GiveUp();
  loop_.RunOnce(0);  // destroys what the last connections retired
}

Result<void> Serving::Use(const Generation& generation,
                          const std::vector<EndpointSetPtr>& endpoints,
                          const std::vector<WorkerListener>& listeners) {
  std::vector<WorkerCluster*> clusters;
  for (size_t i = 0; i < endpoints.size(); ++i) {
    clusters.push_back(&ClusterOf(*generation.clusters()[i], endpoints[i]));
  }
  auto next = std::make_unique<WorkerGeneration>(generation, proxy_, clusters);

  std::vector<Entrance> before = std::move(entrances_);
  entrances_.clear();
  Result<void> result;
  for (size_t i = 0; i < listeners.size(); ++i) {
    const std::string& name = generation.listeners()[i].settings->name;
    const auto known = std::find_if(before.begin(), before.end(), [&](const Entrance& entrance) {
      return entrance.name == name && entrance.sockets == listeners[i].sockets;
    });
    if (known != before.end()) {
      for (const auto& acceptor : known->acceptors) acceptor->SetRuntime(next->runtime(i));
      entrances_.push_back(std::move(*known));
      before.erase(known);
      continue;
    }
    entrances_.push_back({name, listeners[i].sockets, {}});
    Result<void> opened = OpenEntrance(entrances_.back(), listeners[i], next->runtime(i));
    if (!opened) result = std::move(opened);
  }
  for (Entrance& entrance : before) {
    for (const auto& acceptor : entrance.acceptors) acceptor->Drain();
    leaving_.push_back(std::move(entrance));
  }
  if (!generations_.empty()) generations_.back()->scope().Retire(unused_task_);
  generations_.push_back(std::move(next));
  loop_.Defer(unused_task_);  // an entrance that leaves may be empty already
  return result;
}

WorkerCluster& Serving::ClusterOf(const Cluster& cluster, const EndpointSetPtr& endpoints) {
  std::unique_ptr<WorkerCluster>& own = clusters_[&cluster];
  if (own == nullptr) {
    own =
        std::make_unique<WorkerCluster>(loop_, proxy_.random, row_, cluster.settings(), endpoints);
  }
  return *own;
}

Result<void> Serving::OpenEntrance(Entrance& entrance, const WorkerListener& listener,
                                   ListenerRuntime& runtime) {
  for (const int socket : listener.sockets) {
    entrance.acceptors.push_back(
        std::make_unique<Acceptor>(*this, runtime, AcceptorLimits{*listener.limit, limit_}));
    SLUICE_TRY(entrance.acceptors.back()->Start(socket));
  }
  return {};
}

void Serving::UpdateCluster(const Cluster& cluster, EndpointSetPtr endpoints) {
  const auto found = clusters_.find(&cluster);
  if (found != clusters_.end()) found->second->Update(std::move(endpoints));
}

void Serving::BeginToEnd(uint32_t round) {
  round_ = round;
  ending_ = true;
  drained_told_ = false;
}

void Serving::Drain(uint32_t round) {
  BeginToEnd(round);
  ForEachAcceptor([](Acceptor& acceptor) { acceptor.Drain(); });
  loop_.Defer(drained_task_);
}

void Serving::Retire(uint32_t round, Nanos spread) {
  BeginToEnd(round);
  ForEachAcceptor([](Acceptor& acceptor) { acceptor.StopAccepting(); });
  AskToLeave(spread);
  loop_.Defer(drained_task_);
}

void Serving::AskToLeave(Nanos spread) {
  retire_step_ = std::max<Nanos>(spread / kRetireSteps, kMillisecond);
  retire_steps_left_ = kRetireSteps;
  RetireSome();
}

void Serving::RetireSome() {
  if (retire_steps_left_ == 0) {
    if (ending_) return ForEachAcceptor([](Acceptor& acceptor) { acceptor.CloseIdle(); });
    ForEachAcceptor([](Acceptor& acceptor) { acceptor.CloseIdleRetiring(); });
    retire_steps_left_ = kRetireSteps;  // whoever has come meanwhile is next
  }
  const auto left = static_cast<size_t>(retire_steps_left_--);
  ForEachAcceptor([left](Acceptor& acceptor) {
    for (size_t i = (acceptor.open() + left - 1) / left; i > 0; --i) acceptor.RetireOne();
  });
  retire_timer_.Start(retire_step_);
}

void Serving::LookAgain() {
  if (ending_) return;
  ForEachAcceptor([](Acceptor& acceptor) { acceptor.LookAgain(); });
}

void Serving::Resume() {
  ending_ = false;
  retire_timer_.Cancel();
  for (const Entrance& entrance : entrances_) {
    for (const auto& acceptor : entrance.acceptors) acceptor->ResumeAccepting();
  }
}

void Serving::Abort() {
  ending_ = true;
  ForEachAcceptor([](Acceptor& acceptor) { acceptor.Abort(); });
  loop_.Defer(drained_task_);
}

void Serving::MakeRoom(std::string_view listener) {
  if (listener.empty()) {
    CloseOneIdle();
    return;
  }
  for (const Entrance& entrance : entrances_) {
    if (entrance.name != listener) continue;
    for (const auto& acceptor : entrance.acceptors) {
      if (acceptor->CloseOneIdle()) return;
    }
  }
}

void Serving::OnConnectionCount(int change) {
  connections_ = change > 0 ? connections_ + 1 : connections_ - 1;
  stats_.connections.Add(change);
  if (change > 0) {
    if (!measure_lag_.pending()) measure_lag_.Start(kMeasureLagEvery);
    return;
  }
  if (!leaving_.empty()) loop_.Defer(unused_task_);
  if (ending_) return loop_.Defer(drained_task_);
  ForEachAcceptor([](Acceptor& acceptor) {
    if (acceptor.full()) acceptor.OnRoom();
  });
}

void Serving::OnRoomWanted(Acceptor& wanting, bool overall) {
  if (overall) {
    if (!CloseOneIdle()) events_.OnRoomWanted({});
    return;
  }
  for (const Entrance& entrance : entrances_) {
    for (const auto& acceptor : entrance.acceptors) {
      if (acceptor.get() == &wanting) return events_.OnRoomWanted(entrance.name);
    }
  }
}

bool Serving::CloseOneIdle() {
  for (const Entrance& entrance : entrances_) {
    for (const auto& acceptor : entrance.acceptors) {
      if (acceptor->CloseOneIdle()) return true;
    }
  }
  return false;
}

// What goes at the end of a turn, when nothing of it can be on the stack. The main thread hears of
// it last: the settings of these clusters are its own, and go then.
class Serving::Leftovers final : public Retirable {
 public:
  explicit Leftovers(Serving& serving) : serving_(serving) {}
  ~Leftovers() override {
    // Retired before what the pools retire, it goes after that.
    serving_.loop_.Retire(std::make_unique<Notice>(serving_.events_, std::move(released_)));
  }

  void Add(Entrance entrance) { entrances_.push_back(std::move(entrance)); }
  void Add(std::unique_ptr<WorkerGeneration> generation) {
    released_.push_back(&generation->generation());
    generations_.push_back(std::move(generation));
  }
  void Add(std::unique_ptr<WorkerCluster> cluster) { clusters_.push_back(std::move(cluster)); }

 private:
  class Notice final : public Retirable {
   public:
    Notice(ServingEvents& events, std::vector<const Generation*> released)
        : events_(events), released_(std::move(released)) {}
    ~Notice() override {
      for (const Generation* generation : released_) events_.OnGenerationUnused(*generation);
    }

   private:
    ServingEvents& events_;
    const std::vector<const Generation*> released_;
  };

  Serving& serving_;
  std::vector<const Generation*> released_;
  // The order of life, as in Serving.
  std::vector<std::unique_ptr<WorkerCluster>> clusters_;
  std::vector<std::unique_ptr<WorkerGeneration>> generations_;
  std::vector<Entrance> entrances_;
};

// A connection that is over is destroyed at the end of the turn, and gives its generation back
// then.
void Serving::DropUnused() {
  auto leftovers = std::make_unique<Leftovers>(*this);
  std::erase_if(leaving_, [&leftovers](Entrance& entrance) {
    const bool empty = entrance.empty();
    if (empty) leftovers->Add(std::move(entrance));
    return empty;
  });
  for (size_t i = 0; i + 1 < generations_.size();) {
    if (!generations_[i]->scope().unused()) {
      ++i;
      continue;
    }
    leftovers->Add(std::move(generations_[i]));
    generations_.erase(generations_.begin() + static_cast<ptrdiff_t>(i));
  }
  for (auto entry = clusters_.begin(); entry != clusters_.end();) {
    const bool used =
        std::any_of(generations_.begin(), generations_.end(), [&entry](const auto& each) {
          const std::vector<WorkerCluster*>& clusters = each->scope().clusters();
          return std::find(clusters.begin(), clusters.end(), entry->second.get()) != clusters.end();
        });
    if (!used) leftovers->Add(std::move(entry->second));
    entry = used ? std::next(entry) : clusters_.erase(entry);
  }
  loop_.Retire(std::move(leftovers));
}

void Serving::CheckDrained() {
  if (connections_ > 0 || drained_told_ || !ending_) return;
  drained_told_ = true;
  events_.OnDrained(round_);
}

void Serving::Measure() {
  stats_.longest_turn.Record(static_cast<uint64_t>(loop_.TakeLongestTurn() / kMicrosecond));
  const uint64_t cpu = ThreadCpuMicros();
  stats_.cpu.Inc(cpu - cpu_);
  const Nanos elapsed = kMeasureEvery + loop_.now() - measure_.deadline();
  load_ = static_cast<double>(cpu - cpu_) * kMicrosecond / static_cast<double>(elapsed);
  cpu_ = cpu;
  measure_.Start(kMeasureEvery);
}

void Serving::MeasureLag() {
  const Nanos lag = std::max<Nanos>(loop_.now() - measure_lag_.deadline(), 0);
  stats_.loop_lag.Record(static_cast<uint64_t>(lag / kMicrosecond));
  lag_ = lag;
  lag_peak_.OnLag(lag);
  if (connections_ > 0) measure_lag_.Start(kMeasureLagEvery);
}

}  // namespace sluice
