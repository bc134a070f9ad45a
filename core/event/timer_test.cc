#include "core/event/timer.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/event/loop.h"

namespace sluice {
namespace {

// A timer that calls a function.
struct Alarm {
  Alarm(Loop& loop, std::function<void()> function)
      : on_fire(std::move(function)), timer(loop, Callback::To<&Alarm::Fire>(this)) {}
  void Fire() { on_fire(); }
  std::function<void()> on_fire;
  Timer timer;
};

class TimerTest : public testing::Test {
 protected:
  void AdvanceBy(Nanos time) {
    clock.Advance(time);
    loop->RunOnce(0);
  }
  std::unique_ptr<Alarm> MakeAlarm(const std::string& name) {
    return std::make_unique<Alarm>(*loop, [this, name] { fired.push_back(name); });
  }

  FakeClock clock;
  std::unique_ptr<Loop> loop = Loop::Create(clock).value();
  std::vector<std::string> fired;
};

TEST_F(TimerTest, FiresOnceAtItsDeadlineAndNotBefore) {
  const auto alarm = MakeAlarm("a");
  alarm->timer.Start(10 * kMillisecond);
  EXPECT_TRUE(alarm->timer.pending());
  AdvanceBy(9 * kMillisecond);
  EXPECT_TRUE(fired.empty());
  AdvanceBy(kMillisecond);
  EXPECT_EQ(fired.size(), 1u);
  EXPECT_FALSE(alarm->timer.pending());
  AdvanceBy(kSecond);
  EXPECT_EQ(fired.size(), 1u);
}

TEST_F(TimerTest, IsNeverEarlyBetweenTicks) {
  AdvanceBy(kMillisecond / 2);
  const auto alarm = MakeAlarm("a");
  alarm->timer.Start(kMillisecond);
  AdvanceBy(kMillisecond - 1);
  EXPECT_TRUE(fired.empty());
  AdvanceBy(1 + kMillisecond);
  EXPECT_EQ(fired.size(), 1u);
}

TEST_F(TimerTest, ZeroAndNegativeDelaysFireSoon) {
  const auto zero = MakeAlarm("zero");
  const auto negative = MakeAlarm("negative");
  zero->timer.Start(0);
  negative->timer.Start(-kSecond);
  EXPECT_TRUE(fired.empty());
  AdvanceBy(kMillisecond);
  EXPECT_EQ(fired.size(), 2u);
}

TEST_F(TimerTest, StartMovesItAndCancelEndsIt) {
  const auto moved = MakeAlarm("moved");
  const auto canceled = MakeAlarm("canceled");
  auto destroyed = MakeAlarm("destroyed");
  moved->timer.Start(10 * kMillisecond);
  moved->timer.Start(30 * kMillisecond);
  canceled->timer.Start(10 * kMillisecond);
  canceled->timer.Cancel();
  canceled->timer.Cancel();
  destroyed->timer.Start(10 * kMillisecond);
  destroyed.reset();
  EXPECT_EQ(loop->timers().size(), 1u);
  AdvanceBy(20 * kMillisecond);
  EXPECT_TRUE(fired.empty());
  AdvanceBy(10 * kMillisecond);
  EXPECT_EQ(fired, std::vector<std::string>{"moved"});
  EXPECT_EQ(loop->timers().size(), 0u);
}

TEST_F(TimerTest, FiringOrderFollowsDeadlinesAlsoInALongTurn) {
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (const int delay : {5000, 70, 3, 64, 4096, 1, 300'000, 65}) {
    alarms.push_back(MakeAlarm(std::to_string(delay)));
    alarms.back()->timer.Start(delay * kMillisecond);
  }
  AdvanceBy(1000 * kSecond);
  EXPECT_EQ(fired,
            (std::vector<std::string>{"1", "3", "64", "65", "70", "4096", "5000", "300000"}));
}

TEST_F(TimerTest, ACallbackMayStartItselfAgain) {
  std::unique_ptr<Alarm> alarm;
  int count = 0;
  alarm = std::make_unique<Alarm>(*loop, [&] {
    if (++count < 5) alarm->timer.Start(0);
  });
  alarm->timer.Start(0);
  for (int i = 0; i < 20; ++i) AdvanceBy(kMillisecond);
  EXPECT_EQ(count, 5);
}

TEST_F(TimerTest, ACallbackMayCancelAndDestroyOthersOfTheSameTick) {
  auto victim = MakeAlarm("victim");
  const auto canceled = MakeAlarm("canceled");
  std::unique_ptr<Alarm> killer = std::make_unique<Alarm>(*loop, [&] {
    victim.reset();
    canceled->timer.Cancel();
    killer.reset();
  });
  killer->timer.Start(kMillisecond);
  victim->timer.Start(kMillisecond);
  canceled->timer.Start(kMillisecond);
  AdvanceBy(kMillisecond);
  EXPECT_TRUE(fired.empty());
  EXPECT_EQ(loop->timers().size(), 0u);
}

TEST_F(TimerTest, NextWakeIsNeverAfterTheNextTimer) {
  EXPECT_EQ(loop->timers().NextWake(), -1);
  const auto alarm = MakeAlarm("a");
  for (Nanos delay = kMillisecond; delay < 400 * 24 * 3600 * kSecond; delay = delay * 7 / 2) {
    alarm->timer.Start(delay);
    EXPECT_LE(loop->timers().NextWake(), alarm->timer.deadline()) << delay;
    EXPECT_GT(loop->timers().NextWake(), loop->now()) << delay;
  }
}

TEST_F(TimerTest, DeadlinesBeyondTheWheelStillFire) {
  const auto alarm = MakeAlarm("a");
  constexpr Nanos kDay = 24 * 3600 * kSecond;
  alarm->timer.Start(1000 * kDay);  // the wheel turns in 795
  AdvanceBy(999 * kDay);
  EXPECT_TRUE(fired.empty());
  AdvanceBy(kDay);
  EXPECT_EQ(fired.size(), 1u);
}

// The wheel against a sorted map, step by step: starts, moves and cancels of timers near and far,
// time that passes in small and large steps. What fires in a step, and in which order of deadlines,
// must be the same.
TEST_F(TimerTest, AgreesWithASimpleModel) {
  Random random(20240607);
  constexpr size_t kTimers = 300;
  std::vector<std::unique_ptr<Alarm>> alarms;
  std::map<size_t, uint64_t> model;  // timer: deadline in ms, rounded up
  std::vector<std::pair<uint64_t, size_t>> fired_now;
  for (size_t i = 0; i < kTimers; ++i) {
    alarms.push_back(std::make_unique<Alarm>(*loop, [&, i] {
      ASSERT_TRUE(model.contains(i));
      fired_now.emplace_back(model.at(i), i);
      model.erase(i);
    }));
  }
  const auto random_time = [&random](int most_bits) {
    const uint64_t bits = random.Below(static_cast<uint64_t>(most_bits) + 1);
    return static_cast<Nanos>(random.Below(uint64_t{1} << bits));
  };
  uint64_t tick = static_cast<uint64_t>(loop->now() / kMillisecond);
  for (int step = 0; step < 100'000; ++step) {
    const size_t i = random.Below(kTimers);
    const uint64_t choice = random.Below(10);
    if (choice < 5) {
      const Nanos delay = random_time(53);  // to three months, mostly less
      alarms[i]->timer.Start(delay);
      const uint64_t deadline =
          static_cast<uint64_t>((loop->now() + delay + kMillisecond - 1) / kMillisecond);
      model[i] = std::max(deadline, tick + 1);
    } else if (choice < 7) {
      alarms[i]->timer.Cancel();
      model.erase(i);
    } else {
      fired_now.clear();
      AdvanceBy(random_time(choice == 9 ? 50 : 26));
      tick = static_cast<uint64_t>(loop->now() / kMillisecond);
      for (const auto& left : model) ASSERT_GT(left.second, tick) << "did not fire";
      for (size_t k = 0; k < fired_now.size(); ++k) {
        ASSERT_LE(fired_now[k].first, tick) << "fired early";
        const size_t before = k > 0 ? k - 1 : 0;
        ASSERT_LE(fired_now[before].first, fired_now[k].first);
      }
    }
    ASSERT_EQ(alarms[i]->timer.pending(), model.contains(i));
    ASSERT_EQ(loop->timers().size(), model.size());
    if (model.empty()) {
      ASSERT_EQ(loop->timers().NextWake(), -1);
    } else {
      ASSERT_GT(loop->timers().NextWake(), loop->now());
    }
  }
}

}  // namespace
}  // namespace sluice
