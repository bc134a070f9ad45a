#include "core/server/worker.h"

#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <utility>

#include "core/base/check.h"
#include "core/base/strings.h"

namespace sluice {

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

Result<void> Worker::Start() {
  CHECK(!thread_.joinable());
  // Signals are the main thread's: the new thread inherits the mask.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  Result<void> result;
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error& error) {
    result = Fail(SystemError("start a thread", error.code().value()));
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return result;
}

void Worker::Run() {
  pthread_setname_np(pthread_self(), StrCat({"sluice-", Decimal(index_)}).c_str());
  ServingEvents& events = *this;
  auto serving =
      std::make_unique<Serving>(*loop_, events, row_, environment_.status, environment_.connections,
                                environment_.lag, index_, stats_);
  serving_ = serving.get();
  loop_->Run();
  serving.reset();  // its last turns may still run posts that name it
  serving_ = nullptr;
}

void Worker::Use(const Generation& generation, std::vector<WorkerListener> listeners) {
  std::vector<EndpointSetPtr> endpoints;
  for (const Cluster* cluster : generation.clusters()) endpoints.push_back(cluster->endpoints());
  loop_->Post(
      [this, &generation, endpoints = std::move(endpoints), listeners = std::move(listeners)] {
        environment_.main_loop.Post([events = &environment_.events, index = index_, &generation,
                                     result = serving_->Use(generation, endpoints, listeners)] {
          events->OnWorkerUses(index, generation, result);
        });
      });
}

void Worker::UpdateCluster(const Cluster& cluster) {
  loop_->Post([this, &cluster, endpoints = cluster.endpoints()] {
    serving_->UpdateCluster(cluster, endpoints);
  });
}

void Worker::Drain(uint32_t round) {
  loop_->Post([this, round] {
    serving_->Drain(round);
    environment_.main_loop.Post([events = &environment_.events, index = index_] {
      events->OnWorkerStoppedAccepting(index);
    });
  });
}

void Worker::Retire(uint32_t round, Nanos spread) {
  loop_->Post([this, round, spread] { serving_->Retire(round, spread); });
}

void Worker::LookAgain() {
  loop_->Post([this] { serving_->LookAgain(); });
}

void Worker::Resume() {
  loop_->Post([this] { serving_->Resume(); });
}

void Worker::AskToLeave(Nanos spread) {
  loop_->Post([this, spread] { serving_->AskToLeave(spread); });
}

void Worker::AskNoMore() {
  loop_->Post([this] { serving_->AskNoMore(); });
}

void Worker::Ask(const WorkerQuestion& question,
                 std::function<void(uint32_t worker, WorkerReport report)> answer) {
  loop_->Post([this, question, answer = std::move(answer)] {
    environment_.main_loop.Post(
        [answer, index = index_, report = serving_->Report(question)] { answer(index, report); });
  });
}

void Worker::Abort() {
  loop_->Post([this] { serving_->Abort(); });
}

void Worker::MakeRoom(std::string_view listener) {
  loop_->Post([this, listener = std::string(listener)] { serving_->MakeRoom(listener); });
}

void Worker::OnGenerationUnused(const Generation& generation) {
  environment_.main_loop.Post([events = &environment_.events, index = index_, &generation] {
    events->OnWorkerReleases(index, generation);
  });
}

void Worker::OnRoomWanted(std::string_view listener) {
  environment_.main_loop.Post(
      [events = &environment_.events, index = index_, listener = std::string(listener)] {
        events->OnWorkerWantsRoom(index, listener);
      });
}

void Worker::OnDrained(uint32_t round) {
  environment_.main_loop.Post([events = &environment_.events, index = index_, round] {
    events->OnWorkerDrained(index, round);
  });
}

}  // namespace sluice
