#include "core/upstream/breaker/breaker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace sluice {
namespace {

constexpr BreakerOutcome kGood{};
constexpr BreakerOutcome kFailed{true, false};
constexpr BreakerOutcome kSlow{false, true};

class Told final : public BreakerEvents {
 public:
  void OnMade(Breaker&) override {}
  void OnGone(const Breaker&) override {}
  void OnTransition(const Breaker&, const BreakerTransition& transition) override {
    last = transition;
    ++count;
  }
  BreakerTransition last;
  int count = 0;
};

class BreakerTest : public testing::Test {
 protected:
  BreakerTest() {
    settings_.jitter = 0;
    settings_.min_calls = 10;
  }

  Breaker& breaker() {
    if (breaker_ == nullptr) breaker_ = New();
    return *breaker_;
  }
  std::unique_ptr<Breaker> New() {
    return std::make_unique<Breaker>(BreakerName(), settings_, SharedWords(cells_), &told_);
  }
  bool Enter(BreakerToken& token) {
    const Breaker::Admission admission = breaker().TryEnter(now_, random_);
    token = admission.token;
    return admission.admitted;
  }
  bool Call(const BreakerOutcome& outcome) {
    BreakerToken token;
    if (!Enter(token)) return false;
    breaker().Leave(token, outcome, now_, random_);
    return true;
  }
  int Calls(int count, const BreakerOutcome& outcome) {
    int passed = 0;
    for (int i = 0; i < count; ++i) passed += Call(outcome) ? 1 : 0;
    return passed;
  }
  BreakerMode mode() { return breaker().state().mode; }
  BreakerReason reason() { return breaker().state().reason; }
  // Opens it, which happens with the tenth call.
  void BreakIt() { ASSERT_EQ(Calls(10, kFailed), 10); }
  void BreakAndWait() {
    BreakIt();
    now_ += settings_.open_for;
  }

  StatsCell cells_[SharedWords::kCount] = {};
  BreakerSettings settings_;
  Told told_;
  Random random_{1};
  Nanos now_ = 1000 * kSecond;
  std::unique_ptr<Breaker> breaker_;
};

TEST_F(BreakerTest, OpensAtItsShareOfFailures) {
  settings_.failure_rate = 0.3;
  EXPECT_EQ(Calls(7, kGood), 7);
  EXPECT_EQ(Calls(2, kFailed), 2);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
  EXPECT_TRUE(Call(kFailed));
  EXPECT_EQ(mode(), BreakerMode::kOpen);
  EXPECT_EQ(reason(), BreakerReason::kFailures);
  EXPECT_EQ(told_.count, 1);
  EXPECT_EQ(told_.last.counts.calls, 10U);
  EXPECT_EQ(told_.last.counts.failures, 3U);
  EXPECT_EQ(told_.last.lasts, 5 * kSecond);
  EXPECT_FALSE(Call(kGood));
}

// Its word has room for two years of milliseconds.
TEST_F(BreakerTest, AMachineThatRunsForYears) {
  for (const uint64_t years : {1, 2, 3}) {
    const uint64_t wrap = years * BreakerState::kUntils;
    for (const uint64_t millis : {wrap - 1000, wrap - 5000, wrap + 20000, wrap + wrap / 2}) {
      breaker().Force(BreakerMode::kClosed);
      now_ = static_cast<Nanos>(millis) * kMillisecond;
      EXPECT_EQ(breaker().Left(now_), 0);
      BreakIt();
      now_ += settings_.open_for - kMillisecond;
      EXPECT_FALSE(Call(kGood));
      now_ += 2 * kMillisecond;  // one more where its end would be zero
      EXPECT_EQ(Calls(5, kGood), 5);
      EXPECT_EQ(mode(), BreakerMode::kClosed);
      EXPECT_EQ(breaker().Left(now_), settings_.recovery_ramp);
      now_ += settings_.recovery_ramp;
      EXPECT_TRUE(breaker().lets_pass(now_));
    }
  }
}

TEST_F(BreakerTest, TheNextConfigurationsLongestTimeHolds) {
  settings_.open_for = settings_.max_open_for = 3600 * kSecond;
  BreakIt();
  EXPECT_EQ(breaker().Left(now_), 3600 * kSecond);
  settings_.max_open_for = 7200 * kSecond;
  breaker_ = New();
  EXPECT_FALSE(Call(kGood));
  settings_.open_for = 5 * kSecond;
  settings_.max_open_for = 60 * kSecond;
  breaker_ = New();
  EXPECT_EQ(breaker().Left(now_), 0);
  EXPECT_TRUE(Call(kGood));
  EXPECT_EQ(mode(), BreakerMode::kHalfOpen);
}

TEST_F(BreakerTest, WithMetricsOnlyItRefusesNothing) {
  EXPECT_TRUE(breaker().Force(BreakerMode::kClosed, true));
  EXPECT_FALSE(breaker().Force(BreakerMode::kClosed, true)) << "it is that";
  BreakIt();
  EXPECT_EQ(mode(), BreakerMode::kOpen);
  EXPECT_EQ(Calls(7, kGood), 7);
  EXPECT_EQ(breaker().would_refuse(), 7U);
  EXPECT_EQ(mode(), BreakerMode::kOpen) << "what it would refuse says nothing";
  EXPECT_TRUE(breaker().lets_pass(now_));
  now_ += settings_.open_for;
  EXPECT_EQ(Calls(5, kFailed), 5);
  EXPECT_EQ(mode(), BreakerMode::kOpen) << "probes decide as always";
  breaker_ = New();
  EXPECT_TRUE(breaker().metrics_only()) << "the next one finds it so";
  EXPECT_TRUE(breaker().Force(BreakerMode::kClosed));
  EXPECT_FALSE(breaker().metrics_only());
  BreakIt();
  EXPECT_FALSE(Call(kGood));
  EXPECT_EQ(breaker().would_refuse(), 0U);
}

TEST_F(BreakerTest, MetricsOnlyEndsWhenItIsTakenAway) {
  BreakIt();
  std::atomic<bool> over{false};
  std::thread worker([&] {
    Random random(1);
    while (!over) breaker().TryEnter(now_, random);
  });
  for (int i = 0; i < 20000; ++i) {
    breaker().Force(BreakerMode::kForcedOpen, true);
    breaker().Force(BreakerMode::kForcedOpen, false);
    ASSERT_FALSE(breaker().metrics_only()) << "in round " << i;
  }
  over = true;
  worker.join();
  EXPECT_FALSE(breaker().metrics_only());
}

TEST_F(BreakerTest, SaysNothingBelowItsLeastCalls) {
  EXPECT_EQ(Calls(9, kFailed), 9);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
}

TEST_F(BreakerTest, ASuccessCanCompleteTheLeastCalls) {
  EXPECT_EQ(Calls(9, kFailed), 9);
  EXPECT_TRUE(Call(kGood));
  EXPECT_EQ(mode(), BreakerMode::kOpen);
}

TEST_F(BreakerTest, OpensAtItsShareOfSlowCalls) {
  EXPECT_EQ(Calls(2, kGood), 2);
  EXPECT_EQ(Calls(8, kSlow), 8);
  EXPECT_EQ(mode(), BreakerMode::kOpen);
  EXPECT_EQ(reason(), BreakerReason::kSlow);
}

TEST_F(BreakerTest, OpensAfterFailuresInARow) {
  settings_.consecutive_failures = 3;
  EXPECT_EQ(Calls(2, kFailed), 2);
  EXPECT_TRUE(Call(kGood));
  EXPECT_EQ(Calls(2, kFailed), 2);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
  EXPECT_TRUE(Call(kFailed));
  EXPECT_EQ(mode(), BreakerMode::kOpen);
  EXPECT_EQ(reason(), BreakerReason::kConsecutive);
}

TEST_F(BreakerTest, WhatCountsToTheShareOnlyIsNotInARow) {
  settings_.consecutive_failures = 3;
  const BreakerOutcome limited{true, false, false};
  EXPECT_EQ(Calls(2, kFailed), 2);
  EXPECT_EQ(Calls(6, limited), 6);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
  EXPECT_TRUE(Call(kFailed)) << "it did not begin anew either";
  EXPECT_EQ(reason(), BreakerReason::kConsecutive);
}

TEST_F(BreakerTest, ForgetsWhatIsOlderThanItsWindow) {
  EXPECT_EQ(Calls(9, kFailed), 9);
  now_ += 9 * kSecond;
  EXPECT_EQ(breaker().counts(now_).calls, 9U);
  now_ += kSecond;
  EXPECT_EQ(breaker().counts(now_).calls, 0U);
  EXPECT_EQ(Calls(9, kFailed), 9);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
}

TEST_F(BreakerTest, ForgetsWhatIsBeyondItsCalls) {
  settings_.window_calls = 100;
  settings_.min_calls = 1000;  // no more than the window
  EXPECT_EQ(Calls(49, kFailed), 49);
  EXPECT_EQ(Calls(51, kGood), 51);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
  now_ += 3600 * kSecond;
  EXPECT_EQ(Calls(40, kGood), 40);
  EXPECT_EQ(breaker().counts(now_).failures, 0U) << "counted in tenths";
}

TEST_F(BreakerTest, AWindowOfFewCalls) {
  settings_.window_calls = 3;
  settings_.failure_rate = 1;
  EXPECT_EQ(Calls(2, kFailed), 2);
  EXPECT_TRUE(Call(kGood));
  EXPECT_EQ(Calls(2, kFailed), 2);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
  EXPECT_TRUE(Call(kFailed));
  EXPECT_EQ(mode(), BreakerMode::kOpen);
}

TEST_F(BreakerTest, CountsManyCallsInHalves) {
  EXPECT_EQ(Calls(70'000, kGood), 70'000);
  const BreakerCounts counts = breaker().counts(now_);
  EXPECT_GT(counts.calls, 30'000U);
  EXPECT_LT(counts.calls, 65'536U);
  EXPECT_EQ(counts.failures, 0U);
}

TEST_F(BreakerTest, StaysOpenForItsTimeThenLetsProbesPass) {
  BreakIt();
  now_ += settings_.open_for - kMillisecond;
  const Breaker::Admission refused = breaker().TryEnter(now_, random_);
  EXPECT_FALSE(refused.admitted);
  EXPECT_EQ(refused.retry_after, kMillisecond);
  EXPECT_EQ(refused.state.reason, BreakerReason::kFailures);
  now_ += kMillisecond;
  BreakerToken tokens[6];
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Enter(tokens[i])) << i;
  EXPECT_EQ(mode(), BreakerMode::kHalfOpen);
  EXPECT_FALSE(Enter(tokens[5]));
  for (int i = 0; i < 4; ++i) breaker().Leave(tokens[i], kGood, now_, random_);
  EXPECT_EQ(mode(), BreakerMode::kHalfOpen);
  breaker().Leave(tokens[4], kFailed, now_, random_);
  EXPECT_EQ(mode(), BreakerMode::kClosed) << "20% is below its share";
  EXPECT_EQ(told_.count, 3);
}

TEST_F(BreakerTest, ProbesThatFailOpenItForTwiceAsLong) {
  BreakAndWait();
  for (const int64_t seconds : {10, 20, 40, 60, 60}) {
    EXPECT_EQ(Calls(6, kFailed), 5);
    EXPECT_EQ(mode(), BreakerMode::kOpen);
    EXPECT_EQ(told_.last.lasts, seconds * kSecond);
    now_ += told_.last.lasts;
  }
  EXPECT_EQ(Calls(5, kGood), 5);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
  now_ += settings_.recovery_ramp;
  BreakIt();
  EXPECT_EQ(told_.last.lasts, 5 * kSecond) << "from the beginning again";
}

TEST_F(BreakerTest, SlowProbesOpenItToo) {
  BreakAndWait();
  EXPECT_EQ(Calls(5, kSlow), 5);
  EXPECT_EQ(mode(), BreakerMode::kOpen);
  EXPECT_EQ(reason(), BreakerReason::kSlow);
}

TEST_F(BreakerTest, TimesAreSpread) {
  settings_.jitter = 0.2;
  Nanos least = kSecond * 100;
  Nanos most = 0;
  for (int i = 0; i < 200; ++i) {
    BreakIt();
    least = std::min(least, told_.last.lasts);
    most = std::max(most, told_.last.lasts);
    breaker().Force(BreakerMode::kDisabled);
    breaker().Force(BreakerMode::kClosed);
  }
  EXPECT_GE(least, 4 * kSecond);
  EXPECT_LE(least, 42 * kSecond / 10);
  EXPECT_GE(most, 58 * kSecond / 10);
  EXPECT_LE(most, 6 * kSecond);
}

TEST_F(BreakerTest, StaysOpenAsLongAsTheFailureAsksFor) {
  BreakerOutcome busy = kFailed;
  busy.retry_after = 20 * kSecond;
  EXPECT_EQ(Calls(9, kFailed), 9);
  EXPECT_TRUE(Call(busy));
  EXPECT_EQ(told_.last.lasts, 20 * kSecond);
  now_ += 20 * kSecond;
  busy.retry_after = 3600 * kSecond;
  EXPECT_EQ(Calls(5, busy), 5);
  EXPECT_EQ(told_.last.lasts, 60 * kSecond) << "but no longer than it may";
}

TEST_F(BreakerTest, ACancelledProbeGivesItsPermitBack) {
  BreakAndWait();
  for (int i = 0; i < 100; ++i) {
    BreakerToken token;
    ASSERT_TRUE(Enter(token));
    breaker().Cancel(token);
  }
  EXPECT_EQ(Calls(5, kGood), 5);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
}

TEST_F(BreakerTest, AProbeThatIsLostOpensItAgain) {
  BreakAndWait();
  BreakerToken lost;
  ASSERT_TRUE(Enter(lost));
  EXPECT_EQ(Calls(10, kGood), 4);
  now_ += settings_.probe_timeout - 1;
  EXPECT_FALSE(Call(kGood));
  EXPECT_EQ(mode(), BreakerMode::kHalfOpen);
  now_ += 1;
  EXPECT_FALSE(Call(kGood));
  EXPECT_EQ(mode(), BreakerMode::kOpen);
  EXPECT_EQ(reason(), BreakerReason::kProbeTimeout);
  breaker().Leave(lost, kGood, now_, random_);  // too late
  EXPECT_EQ(mode(), BreakerMode::kOpen);
}

TEST_F(BreakerTest, ProbesMayComeSlowly) {
  BreakAndWait();
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(Call(kGood));
    now_ += 10 * settings_.probe_timeout;
  }
  EXPECT_EQ(mode(), BreakerMode::kClosed);
}

TEST_F(BreakerTest, CallsOfAnEarlierTimeCountForNothing) {
  BreakerToken early;
  ASSERT_TRUE(Enter(early));
  BreakAndWait();
  BreakerToken probe;
  ASSERT_TRUE(Enter(probe));
  breaker().Leave(early, kFailed, now_, random_);
  EXPECT_EQ(breaker().counts(now_).calls, 0U);
  EXPECT_EQ(Calls(4, kGood), 4);
  breaker().Leave(probe, kGood, now_, random_);
  EXPECT_EQ(mode(), BreakerMode::kClosed);
  breaker().Leave(early, kFailed, now_, random_);
  EXPECT_EQ(breaker().counts(now_).calls, 0U);
}

TEST_F(BreakerTest, AGrowingSharePassesAfterItClosed) {
  BreakAndWait();
  EXPECT_EQ(Calls(5, kGood), 5);
  ASSERT_EQ(mode(), BreakerMode::kClosed);
  EXPECT_EQ(Calls(100, kGood), 0);
  for (const int percent : {25, 50, 75}) {
    now_ += settings_.recovery_ramp / 4;
    EXPECT_NEAR(Calls(4000, kGood), 40 * percent, 120);
  }
  now_ += settings_.recovery_ramp / 4;
  EXPECT_EQ(Calls(1000, kGood), 1000);
}

TEST_F(BreakerTest, ARampOfAnotherConfigurationHoldsNobodyUp) {
  settings_.recovery_ramp = 600 * kSecond;
  BreakAndWait();
  EXPECT_EQ(Calls(5, kGood), 5);
  settings_.recovery_ramp = kSecond;
  breaker_ = New();
  EXPECT_EQ(Calls(100, kGood), 100);
}

TEST_F(BreakerTest, HeldOpenByAnOperator) {
  EXPECT_TRUE(breaker().Force(BreakerMode::kForcedOpen));
  EXPECT_FALSE(breaker().Force(BreakerMode::kForcedOpen));
  now_ += 3600 * kSecond;
  EXPECT_EQ(Calls(10, kGood), 0);
  EXPECT_EQ(breaker().TryEnter(now_, random_).state.reason, BreakerReason::kForced);
  EXPECT_TRUE(breaker().Force(BreakerMode::kClosed));
  EXPECT_EQ(Calls(10, kGood), 10);
}

TEST_F(BreakerTest, Disabled) {
  breaker().Force(BreakerMode::kDisabled);
  EXPECT_EQ(Calls(1000, kFailed), 1000);
  EXPECT_EQ(mode(), BreakerMode::kDisabled);
  breaker().Force(BreakerMode::kClosed);
  EXPECT_EQ(breaker().counts(now_).calls, 0U);
}

TEST_F(BreakerTest, TheNextProcessGoesOnWhereThisOneEnds) {
  BreakAndWait();
  BreakerToken probe;
  ASSERT_TRUE(Enter(probe));
  const auto next = New();
  EXPECT_EQ(next->state().mode, BreakerMode::kHalfOpen);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(next->TryEnter(now_, random_).admitted);
  EXPECT_FALSE(next->TryEnter(now_, random_).admitted);
}

TEST_F(BreakerTest, AnyWordsAreAState) {
  Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    for (StatsCell& cell : cells_) cell.store(random.Next());
    Calls(3, i % 2 == 0 ? kFailed : kGood);
    breaker().counts(now_);
    breaker().Force(BreakerMode::kClosed);
    ASSERT_TRUE(Call(kGood));
  }
}

// Threads that call, fail, cancel and let time pass; an upstream that fails in bursts.
TEST_F(BreakerTest, ThreadsActAsOne) {
  class Counted final : public BreakerEvents {
   public:
    void OnMade(Breaker&) override {}
    void OnGone(const Breaker&) override {}
    void OnTransition(const Breaker&, const BreakerTransition& transition) override {
      ++transitions;
      if (transition.state.mode == BreakerMode::kOpen) ++opened;
    }
    std::atomic<uint32_t> transitions{0};
    std::atomic<int> opened{0};
  } counted;
  settings_.recovery_ramp = 0;
  Breaker shared({}, settings_, SharedWords(cells_), &counted);
  std::atomic<Nanos> now{now_};
  std::atomic<int> probes_running{0};
  std::atomic<int> most_probes{0};
  std::vector<std::thread> threads;
  for (uint64_t id = 0; id < 4; ++id) {
    threads.emplace_back([&, id] {
      Random random(id + 10);
      for (int i = 0; i < 20'000; ++i) {
        const Nanos at = now.fetch_add(static_cast<Nanos>(random.Below(kMillisecond)));
        const Breaker::Admission admission = shared.TryEnter(at, random);
        if (!admission.admitted) continue;
        const bool probe = admission.token.kind == BreakerToken::Kind::kProbe;
        if (probe) {
          const int running = probes_running.fetch_add(1) + 1;
          int most = most_probes.load();
          while (running > most && !most_probes.compare_exchange_weak(most, running)) {
          }
        }
        if (probe) probes_running.fetch_sub(1);
        if (random.Below(10) == 0) {
          shared.Cancel(admission.token);
        } else {
          const bool bad_time = at / (10 * kSecond) % 2 == 0;
          shared.Leave(admission.token, {random.Below(10) < (bad_time ? 9U : 1U), false}, at,
                       random);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(counted.opened.load(), 0);
  EXPECT_LE(most_probes.load(), 5);
  EXPECT_EQ(shared.state().generation, counted.transitions.load()) << "each is told once";
}

}  // namespace
}  // namespace sluice
