#include "core/event/loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/event/signal_watch.h"

namespace sluice {
namespace {

struct Job {
  explicit Job(std::function<void()> function) : run(std::move(function)) {}
  void Run() { run(); }
  std::function<void()> run;
  Task task{Callback::To<&Job::Run>(this)};
};

class LoopTest : public testing::Test {
 protected:
  std::unique_ptr<Job> Noting(const std::string& name) {
    return std::make_unique<Job>([this, name] { ran.push_back(name); });
  }

  FakeClock clock;
  std::unique_ptr<Loop> loop = Loop::Create(clock).value();
  std::vector<std::string> ran;
};

using Names = std::vector<std::string>;

TEST_F(LoopTest, TasksRunAfterTheCallbackInTheirOrder) {
  const auto first = Noting("first");
  const auto second = Noting("second");
  Job starts([&] {
    loop->Defer(first->task);
    loop->Defer(second->task);
    loop->Defer(first->task);  // waits already
    ran.push_back("callback");
  });
  loop->Defer(starts.task);
  EXPECT_TRUE(starts.task.pending());
  loop->RunOnce(0);
  EXPECT_EQ(ran, (Names{"callback", "first", "second"}));
  EXPECT_FALSE(first->task.pending());
  loop->RunOnce(0);
  EXPECT_EQ(ran.size(), 3u);
}

TEST_F(LoopTest, WritesComeAfterEverythingElseThatWasDeferred) {
  const auto write = Noting("write");
  const auto late = Noting("late");
  Job task([&] {
    ran.push_back("task");
    loop->Defer(late->task);
  });
  loop->DeferWrite(write->task);
  loop->Defer(task.task);
  loop->RunDeferred();
  EXPECT_EQ(ran, (Names{"task", "late", "write"}));
}

TEST_F(LoopTest, ATaskOfAWriteRunsBeforeTheNextWrite) {
  const auto task = Noting("task");
  const auto second = Noting("second write");
  Job first([&] {
    ran.push_back("first write");
    loop->Defer(task->task);
  });
  loop->DeferWrite(first.task);
  loop->DeferWrite(second->task);
  loop->RunDeferred();
  EXPECT_EQ(ran, (Names{"first write", "task", "second write"}));
}

TEST_F(LoopTest, TheNextTurnIsNotThisOne) {
  int rounds = 0;
  Job again([&] {
    ++rounds;
    loop->DeferToNextTurn(again.task);
  });
  loop->Defer(again.task);
  for (int turn = 1; turn <= 5; ++turn) {
    loop->RunOnce(-1);  // does not wait: there is something to do
    EXPECT_EQ(rounds, turn);
  }
}

TEST_F(LoopTest, CanceledAndDestroyedTasksDoNotRun) {
  const auto canceled = Noting("canceled");
  auto destroyed = Noting("destroyed");
  auto by_another = Noting("by another");
  const auto next_turn = Noting("next turn");
  Job kills([&] { by_another.reset(); });
  loop->Defer(canceled->task);
  loop->Defer(destroyed->task);
  loop->Defer(kills.task);
  loop->Defer(by_another->task);
  loop->DeferToNextTurn(next_turn->task);
  canceled->task.Cancel();
  next_turn->task.Cancel();
  destroyed.reset();
  loop->RunOnce(0);
  loop->RunOnce(0);
  EXPECT_TRUE(ran.empty());
}

TEST_F(LoopTest, ATaskMayDestroyItself) {
  auto suicidal = std::make_unique<Job>([] {});
  suicidal->run = [&] {
    ran.push_back("ran");
    suicidal.reset();
  };
  loop->Defer(suicidal->task);
  loop->RunOnce(0);
  EXPECT_EQ(ran, Names{"ran"});
}

TEST_F(LoopTest, TasksMayOutliveTheLoop) {
  const auto deferred = Noting("a");
  const auto write = Noting("b");
  const auto next_turn = Noting("c");
  loop->Defer(deferred->task);
  loop->DeferWrite(write->task);
  loop->DeferToNextTurn(next_turn->task);
  loop.reset();
  EXPECT_FALSE(deferred->task.pending());
  EXPECT_FALSE(write->task.pending());
  EXPECT_FALSE(next_turn->task.pending());
}

struct Dying final : Retirable {
  explicit Dying(std::function<void()> function) : on_death(std::move(function)) {}
  ~Dying() override { on_death(); }
  std::function<void()> on_death;
};

TEST_F(LoopTest, RetiredObjectsDieAtTheEndOfTheTurn) {
  const auto after = Noting("task after");
  Job retires([&] {
    loop->Retire(std::make_unique<Dying>([&] { ran.push_back("died"); }));
    loop->Defer(after->task);
    ran.push_back("retired");
  });
  loop->Defer(retires.task);
  loop->RunOnce(0);
  EXPECT_EQ(ran, (Names{"retired", "task after", "died"}));
  loop->Retire(nullptr);
}

TEST_F(LoopTest, ADyingObjectMayRetireAnother) {
  loop->Retire(std::make_unique<Dying>([&] {
    ran.push_back("outer");
    loop->Retire(std::make_unique<Dying>([&] { ran.push_back("inner"); }));
  }));
  loop->RunOnce(-1);
  EXPECT_EQ(ran, (Names{"outer", "inner"}));
}

TEST_F(LoopTest, RetiredObjectsDieWithTheLoopAtTheLatest) {
  loop->Retire(std::make_unique<Dying>([&] { ran.push_back("died"); }));
  loop.reset();
  EXPECT_EQ(ran, Names{"died"});
}

TEST_F(LoopTest, TimeStandsStillWithinATurn) {
  const Nanos before = loop->now();
  clock.Advance(kSecond);
  EXPECT_EQ(loop->now(), before);
  loop->UpdateTime();
  EXPECT_EQ(loop->now(), before + kSecond);
  EXPECT_EQ(loop->wall(), clock.Wall());
  clock.Advance(kSecond);
  loop->RunOnce(0);
  EXPECT_EQ(loop->now(), before + 2 * kSecond);
}

TEST_F(LoopTest, TheLongestTurnIsKeptUntilRead) {
  Job slow([&] { clock.Advance(5 * kMillisecond); });
  Job fast([&] { clock.Advance(kMillisecond); });
  for (Job* job : {&slow, &fast}) {
    loop->Defer(job->task);
    loop->RunOnce(0);
    loop->RunOnce(1);
  }
  EXPECT_EQ(loop->TakeLongestTurn(), 5 * kMillisecond);
  EXPECT_EQ(loop->TakeLongestTurn(), 0);
}

TEST_F(LoopTest, StopEndsRun) {
  int turns = 0;
  Job job([&] {
    if (++turns == 3) loop->Stop();
    loop->DeferToNextTurn(job.task);
  });
  loop->Defer(job.task);
  loop->Run();
  EXPECT_EQ(turns, 3);
  job.task.Cancel();
}

TEST_F(LoopTest, PostsOfOneThreadKeepTheirOrder) {
  for (int i = 0; i < 3; ++i) {
    loop->Post([this, i] {
      ran.push_back(std::to_string(i));
      if (i == 1) loop->Post([this] { ran.push_back("posted by 1"); });
    });
  }
  EXPECT_TRUE(ran.empty());
  while (ran.size() < 4) loop->RunOnce(-1);
  EXPECT_EQ(ran, (Names{"0", "1", "2", "posted by 1"}));
}

TEST_F(LoopTest, TasksRunBetweenPosts) {
  const auto task = Noting("task");
  loop->Post([&] {
    ran.push_back("first");
    loop->Defer(task->task);
  });
  loop->Post([&] { ran.push_back("second"); });
  while (ran.size() < 3) loop->RunOnce(-1);
  EXPECT_EQ(ran, (Names{"first", "task", "second"}));
}

TEST_F(LoopTest, PostsThatNobodyRanAreDropped) {
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = owned;
  loop->Post([this, kept = std::move(owned)] { ran.push_back("ran"); });
  EXPECT_FALSE(watched.expired());
  loop.reset();
  EXPECT_TRUE(watched.expired());
  EXPECT_TRUE(ran.empty());
}

TEST(LoopThreads, PostsFromManyThreadsArriveInTheOrderOfEach) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 2'000;
  SystemClock clock;
  const std::unique_ptr<Loop> loop = Loop::Create(clock).value();
  std::vector<std::vector<int>> arrived(kThreads);  // by the loop's thread only
  int left = kThreads * kPosts;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        loop->Post([&, t, i] {
          arrived[static_cast<size_t>(t)].push_back(i);
          if (--left == 0) loop->Stop();
        });
      }
    });
  }
  loop->Run();
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<int>& numbers : arrived) {
    ASSERT_EQ(numbers.size(), static_cast<size_t>(kPosts));
    for (int i = 0; i < kPosts; ++i) EXPECT_EQ(numbers[static_cast<size_t>(i)], i);
  }
}

TEST(LoopThreads, APostWakesALoopThatWaits) {
  SystemClock clock;
  const std::unique_ptr<Loop> loop = Loop::Create(clock).value();
  std::atomic<int> answers = 0;
  std::thread thread([&] { loop->Run(); });
  for (int i = 0; i < 100; ++i) {
    loop->Post([&] { ++answers; });
    while (answers.load() == i) std::this_thread::yield();
  }
  loop->Post([&] { loop->Stop(); });
  thread.join();
  EXPECT_EQ(answers.load(), 100);
}

TEST(LoopThreads, TwoLoopsMayAskEachOther) {
  SystemClock clock;
  const std::unique_ptr<Loop> a = Loop::Create(clock).value();
  const std::unique_ptr<Loop> b = Loop::Create(clock).value();
  int rounds = 0;  // handed to and fro
  std::function<void()> at_a;
  std::function<void()> at_b = [&] { a->Post([&] { at_a(); }); };
  at_a = [&] {
    if (++rounds < 500) return b->Post([&] { at_b(); });
    b->Post([&] { b->Stop(); });
    a->Stop();
  };
  std::thread thread([&] { b->Run(); });
  a->Post([&] { at_a(); });
  a->Run();
  thread.join();
  EXPECT_EQ(rounds, 500);
}

struct Signals {
  void OnSignal() { ++count; }
  int count = 0;
  SignalWatch watch{Callback::To<&Signals::OnSignal>(this)};
};

TEST(SignalWatch, CallsUntilItIsStopped) {
  SystemClock clock;
  const std::unique_ptr<Loop> loop = Loop::Create(clock).value();
  Signals user;
  Signals hangup;
  ASSERT_TRUE(user.watch.Start(*loop, SIGUSR1));
  ASSERT_TRUE(hangup.watch.Start(*loop, SIGHUP));
  raise(SIGUSR1);
  while (user.count == 0) loop->RunOnce(-1);
  raise(SIGUSR1);
  while (user.count == 1) loop->RunOnce(-1);
  EXPECT_EQ(hangup.count, 0);
  user.watch.Stop();
  user.watch.Stop();
  raise(SIGHUP);
  while (hangup.count == 0) loop->RunOnce(-1);
  EXPECT_EQ(user.count, 2);
}

TEST(SignalWatch, RefusesWhatCannotBeWatched) {
  SystemClock clock;
  const std::unique_ptr<Loop> loop = Loop::Create(clock).value();
  Signals signals;
  const Result<void> started = signals.watch.Start(*loop, SIGKILL);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().detail, "uv_signal_start: Invalid argument");
  EXPECT_TRUE(signals.watch.Start(*loop, SIGUSR2));
}

}  // namespace
}  // namespace sluice
