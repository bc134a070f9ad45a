#include "core/server/worker.h"

#include <pthread.h>
#include <signal.h>

#include <ctime>
#include <string>
#include <system_error>
#include <utility>

#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/proxy/proxy_worker.h"
#include "core/server/acceptor.h"
#include "core/server/generation.h"

namespace sluice {
namespace {

constexpr Nanos kMeasureEvery = kSecond;
// Connections that were told to end need a few turns for it: their tasks and their retirement.
constexpr int kMostTurnsToEnd = 1000;

uint64_t ThreadCpuMicros() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 +
         static_cast<uint64_t>(time.tv_nsec) / 1000;
}

}  // namespace

// The order of the members is the order of life: connections (acceptors) end before the factories
// that their streams came from, these before the pools, all before the loop.
class Worker::Serving final : public AcceptorOwner {
 public:
  Serving(Worker& worker, const Generation& generation,
          const std::vector<EndpointSetPtr>& endpoints)
      : worker_(worker),
        generation_(generation),
        loop_(*worker.loop_),
        stats_(worker.stats_.Bind(worker.row_)),
        proxy_(loop_, worker.row_, worker.environment_.status, worker.index_),
        measure_(loop_, Callback::To<&Serving::Measure>(this)),
        drained_task_(Callback::To<&Serving::CheckDrained>(this)) {
    for (size_t i = 0; i < endpoints.size(); ++i) {
      proxy_.clusters.push_back(std::make_unique<WorkerCluster>(
          loop_, proxy_.random, worker.row_, generation.clusters()[i]->settings(), endpoints[i]));
    }
    runtimes_ = std::make_unique<WorkerGeneration>(generation, proxy_);
    measure_.Start(kMeasureEvery);
  }

  ~Serving() {
    Abort();
    for (int turn = 0; connections_ > 0 && turn < kMostTurnsToEnd; ++turn) loop_.RunOnce(0);
    acceptors_.clear();
    loop_.RunOnce(0);  // destroys what the last connections retired
  }

  Result<void> StartAccepting(const std::vector<int>& sockets) {
    for (size_t i = 0; i < sockets.size(); ++i) {
      acceptors_.push_back(std::make_unique<Acceptor>(
          *this, runtimes_->runtime(i),
          AcceptorLimits{*generation_.listeners()[i].limit, worker_.environment_.connections}));
      SLUICE_TRY(acceptors_.back()->Start(sockets[i]));
    }
    return {};
  }

  void UpdateCluster(uint32_t cluster, EndpointSetPtr endpoints) {
    proxy_.clusters[cluster]->Update(std::move(endpoints));
  }

  void MakeRoom(size_t listener) {
    if (listener == WorkerEvents::kAnyListener) {
      CloseOneIdle();
    } else if (listener < acceptors_.size()) {
      acceptors_[listener]->CloseOneIdle();
    }
  }

  void Drain() {
    draining_ = true;
    for (const auto& acceptor : acceptors_) acceptor->Drain();
    worker_.environment_.main_loop.Post(
        [events = &worker_.environment_.events, index = worker_.index_] {
          events->OnWorkerStoppedAccepting(index);
        });
    loop_.Defer(drained_task_);
  }

  void Abort() {
    draining_ = true;
    for (const auto& acceptor : acceptors_) acceptor->Abort();
    loop_.Defer(drained_task_);
  }

 private:
  void OnConnectionCount(int change) override {
    connections_ += change;
    stats_.connections.Add(change);
    if (change > 0) return;
    if (draining_) return loop_.Defer(drained_task_);
    for (const auto& acceptor : acceptors_) {
      if (acceptor->full()) acceptor->OnRoom();
    }
  }

  void OnRoomWanted(Acceptor& wanting, bool overall) override {
    if (overall && CloseOneIdle()) return;
    size_t listener = WorkerEvents::kAnyListener;
    for (size_t i = 0; !overall && i < acceptors_.size(); ++i) {
      if (acceptors_[i].get() == &wanting) listener = i;
    }
    worker_.environment_.main_loop.Post([events = &worker_.environment_.events,
                                         index = worker_.index_,
                                         listener] { events->OnWorkerWantsRoom(index, listener); });
  }

  bool CloseOneIdle() {
    for (const auto& acceptor : acceptors_) {
      if (acceptor->CloseOneIdle()) return true;
    }
    return false;
  }

  void CheckDrained() {
    if (connections_ > 0 || drained_told_) return;
    drained_told_ = true;
    worker_.environment_.main_loop.Post(
        [events = &worker_.environment_.events, index = worker_.index_] {
          events->OnWorkerDrained(index);
        });
  }

  void Measure() {
    stats_.loop_lag.Set((loop_.now() - measure_.deadline()) / kMicrosecond);
    stats_.longest_turn.Record(static_cast<uint64_t>(loop_.TakeLongestTurn() / kMicrosecond));
    const uint64_t cpu = ThreadCpuMicros();
    stats_.cpu.Inc(cpu - cpu_);
    cpu_ = cpu;
    measure_.Start(kMeasureEvery);
  }

  Worker& worker_;
  const Generation& generation_;
  Loop& loop_;
  WorkerStats stats_;
  ProxyWorker proxy_;
  std::unique_ptr<WorkerGeneration> runtimes_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;  // as generation_.listeners()
  Timer measure_;
  Task drained_task_;
  int connections_ = 0;
  uint64_t cpu_ = 0;
  bool draining_ = false;
  bool drained_told_ = false;
};

Result<std::unique_ptr<Worker>> Worker::Create(uint32_t index, Clock& clock,
                                               const Environment& environment, const StatsRow& row,
                                               const StatsGroup<WorkerStats>& stats) {
  Result<std::unique_ptr<Loop>> loop = Loop::Create(clock);
  if (!loop) return Fail(std::move(loop).error());
  return std::unique_ptr<Worker>(new Worker(index, environment, row, stats, std::move(*loop)));
}

Worker::Worker(uint32_t index, const Environment& environment, const StatsRow& row,
               const StatsGroup<WorkerStats>& stats, std::unique_ptr<Loop> loop)
    : index_(index), environment_(environment), row_(row), stats_(stats), loop_(std::move(loop)) {}

Worker::~Worker() {
  if (!thread_.joinable()) return;
  loop_->Post([this] { loop_->Stop(); });
  thread_.join();
}

Result<void> Worker::Start(const Generation& generation) {
  CHECK(!thread_.joinable());
  std::vector<EndpointSetPtr> endpoints;
  for (const auto& cluster : generation.clusters()) endpoints.push_back(cluster->endpoints());
  // Signals are the main thread's: the new thread inherits the mask.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  Result<void> result;
  try {
    thread_ = std::thread(
        [this, &generation, endpoints = std::move(endpoints)] { Run(generation, endpoints); });
  } catch (const std::system_error& error) {
    result = Fail(SystemError("start a thread", error.code().value()));
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return result;
}

void Worker::Run(const Generation& generation, const std::vector<EndpointSetPtr>& endpoints) {
  pthread_setname_np(pthread_self(), StrCat({"sluice-", Decimal(index_)}).c_str());
  auto serving = std::make_unique<Serving>(*this, generation, endpoints);
  serving_ = serving.get();
  loop_->Run();
  serving.reset();  // its last turns may still run posts that name it
  serving_ = nullptr;
}

void Worker::StartAccepting(std::vector<int> sockets) {
  loop_->Post([this, sockets = std::move(sockets)] {
    environment_.main_loop.Post(
        [events = &environment_.events, index = index_,
         result = serving_->StartAccepting(sockets)] { events->OnWorkerAccepting(index, result); });
  });
}

void Worker::UpdateCluster(uint32_t cluster, EndpointSetPtr endpoints) {
  loop_->Post([this, cluster, endpoints = std::move(endpoints)] {
    serving_->UpdateCluster(cluster, endpoints);
  });
}

void Worker::MakeRoom(size_t listener) {
  loop_->Post([this, listener] { serving_->MakeRoom(listener); });
}

void Worker::Drain() {
  loop_->Post([this] { serving_->Drain(); });
}

void Worker::Abort() {
  loop_->Post([this] { serving_->Abort(); });
}

}  // namespace sluice
