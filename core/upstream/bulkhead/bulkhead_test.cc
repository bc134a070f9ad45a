#include "core/upstream/bulkhead/bulkhead.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/config/bulkhead.pb.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

using State = BulkheadEntry::State;
constexpr auto kLow = RequestPriority::kLow;
constexpr auto kNormal = RequestPriority::kNormal;
constexpr auto kHigh = RequestPriority::kHigh;

class BulkheadTest : public ::testing::Test {
 protected:
  // A request, and what it heard.
  struct Request {
    Request() : entry(Callback::To<&Request::OnDecided>(this)) {}
    void OnDecided() {
      ++decided;
      if (entry.state() == State::kIn) entered = 1;
      if (leaves) entry.Leave();
    }
    BulkheadEntry entry;
    size_t decided = 0;
    size_t entered = 0;   // after a wait
    bool leaves = false;  // as soon as it hears
  };

  BulkheadTest() {
    StatsOptions options;
    options.workers = 2;
    segment_ = std::move(*StatsSegment::Create(options));
    directory_ = std::make_unique<StatsDirectory>(*segment_);
    config_.set_requests(2);
  }
  ~BulkheadTest() override {
    requests_.clear();
    EXPECT_EQ(settings_->active.value(), 0U) << "everything is given back";
  }

  void Start(uint32_t queue = 0, Nanos wait = 50 * kMillisecond) {
    if (queue > 0) {
      config_.mutable_queue()->set_requests(queue);
      config_.mutable_queue()->set_wait(wait);
    }
    settings_ =
        std::make_unique<BulkheadSettings>(config_, *directory_, LabelList{{"cluster", "a"}});
    for (uint32_t i = 0; i < 2; ++i) {
      workers_.push_back(
          std::make_unique<Bulkhead>(*loop_, random_, *settings_, segment_->worker_row(i)));
    }
  }
  Request& Enter(RequestPriority priority = kNormal, size_t worker = 0,
                 std::optional<uint64_t> consumer = std::nullopt) {
    requests_.push_back(std::make_unique<Request>());
    workers_[worker]->Enter(requests_.back()->entry, priority, consumer);
    return *requests_.back();
  }
  void Turn() { loop_->RunOnce(0); }
  void Pass(Nanos time) {
    for (; time > 0; time -= kMillisecond) {
      clock_.Advance(kMillisecond);
      Turn();
    }
  }
  uint64_t Refused(BulkheadStats::Refusal why, size_t worker = 0) {
    return workers_[worker]->stats().refused[why].value();
  }
  uint64_t Waiting() { return settings_->waiting.value(); }

  FakeClock clock_;
  Random random_{1};
  std::unique_ptr<Loop> loop_ = std::move(*Loop::Create(clock_));
  std::unique_ptr<StatsSegment> segment_;
  std::unique_ptr<StatsDirectory> directory_;
  config::Bulkhead config_;
  std::unique_ptr<BulkheadSettings> settings_;
  std::vector<std::unique_ptr<Bulkhead>> workers_;
  std::vector<std::unique_ptr<Request>> requests_;
};

TEST_F(BulkheadTest, LetsSoManyInOverAllWorkers) {
  Start();
  Request& first = Enter(kNormal, 0);
  EXPECT_EQ(first.entry.state(), State::kIn);
  EXPECT_EQ(Enter(kNormal, 1).entry.state(), State::kIn);
  const Request& third = Enter(kNormal, 1);
  EXPECT_EQ(third.entry.state(), State::kRefused);
  EXPECT_EQ(third.entry.refusal(), BulkheadStats::kFull);
  EXPECT_EQ(Refused(BulkheadStats::kFull, 1), 1U);
  EXPECT_EQ(settings_->active.value(), 2U);
  first.entry.Leave();
  first.entry.Leave();
  EXPECT_EQ(settings_->active.value(), 1U) << "once";
  EXPECT_EQ(Enter(kNormal, 1).entry.state(), State::kIn);
  Turn();
  for (const auto& each : requests_) EXPECT_EQ(each->decided, 0U);
}

TEST_F(BulkheadTest, CountsInTheGaugeOfTheProcessBank) {
  Start();
  Enter();
  // Which is zeroed when the bank is taken anew: a process that is killed leaves nothing counted.
  EXPECT_EQ(
      directory_->SharedGauge({"sluice_bulkhead_requests_active", ""}, {{"cluster", "a"}}).value(),
      1U)
      << "the cell is that of the bank's gauge";
}

TEST_F(BulkheadTest, WhoWaitsEntersThroughTheLoop) {
  Start(2);
  Request& first = Enter();
  Enter();
  Request& third = Enter();
  EXPECT_EQ(third.entry.state(), State::kWaiting);
  EXPECT_EQ(Waiting(), 1U);
  first.entry.Leave();
  EXPECT_EQ(third.decided, 0U) << "not inside of the call";
  Turn();
  EXPECT_EQ(third.decided, 1U);
  EXPECT_EQ(third.entry.state(), State::kIn);
  EXPECT_EQ(Waiting(), 0U);
  EXPECT_EQ(settings_->active.value(), 2U);
}

TEST_F(BulkheadTest, RoomThatAnotherWorkerMakesIsFoundInAMillisecondOrTwo) {
  Start(2);
  Request& first = Enter(kNormal, 1);
  Enter(kNormal, 1);
  Request& third = Enter(kNormal, 0);
  first.entry.Leave();
  Turn();
  EXPECT_EQ(third.entry.state(), State::kWaiting);
  Pass(2 * kMillisecond);
  EXPECT_EQ(third.entry.state(), State::kIn);
}

TEST_F(BulkheadTest, WhoHasThePlacesDoesNotKeepThem) {
  config_.set_requests(4);
  Start(100, kSecond);
  for (int i = 0; i < 4; ++i) Enter(kNormal, 0);
  for (int i = 0; i < 50; ++i) {
    Enter(kNormal, 0);
    Enter(kNormal, 1);
  }
  // The requests stand as they came: four, then one of each worker by turns.
  const auto served = [&](size_t worker) {
    size_t count = 0;
    for (size_t i = 4 + worker; i < requests_.size(); i += 2) count += requests_[i]->entered;
    return count;
  };
  for (int turn = 0; turn < 40; ++turn) {
    for (const auto& each : requests_) {
      if (each->entry.state() != State::kIn) continue;
      each->entry.Leave();
      break;
    }
    Pass(2 * kMillisecond);
  }
  EXPECT_GE(served(0), 12U);
  EXPECT_GE(served(1), 12U);
  EXPECT_GE(served(0) + served(1), 36U) << "and the places are used";
}

TEST_F(BulkheadTest, OnePlaceGoesRoundToo) {
  config_.set_requests(1);
  Start(100, kSecond);
  Enter(kNormal, 0);
  for (int i = 0; i < 50; ++i) {
    Enter(kNormal, 0);
    Enter(kNormal, 1);
  }
  size_t served = 0;
  for (int turn = 0; turn < 30; ++turn) {
    for (const auto& each : requests_) {
      if (each->entry.state() == State::kIn) each->entry.Leave();
    }
    Pass(3 * kMillisecond);
  }
  for (size_t i = 2; i < requests_.size(); i += 2) served += requests_[i]->entered;
  EXPECT_GE(served, 8U) << "of the other worker";
  EXPECT_LE(served, 22U);
}

TEST_F(BulkheadTest, NobodyOvertakesThoseWhoWait) {
  Start(3);
  Request& first = Enter();
  Request& second = Enter();
  Request& waits = Enter();
  first.entry.Leave();
  Request& newcomer = Enter();
  EXPECT_EQ(newcomer.entry.state(), State::kWaiting);
  Request& high = Enter(kHigh);
  EXPECT_EQ(high.entry.state(), State::kIn) << "but those who come before them";
  Turn();
  EXPECT_EQ(waits.entry.state(), State::kWaiting);
  second.entry.Leave();
  Turn();
  EXPECT_EQ(waits.entry.state(), State::kIn);
  EXPECT_EQ(newcomer.entry.state(), State::kWaiting);
}

TEST_F(BulkheadTest, AFullQueueGivesUpTheLowest) {
  Start(1);
  Enter();
  Enter();
  Request& low = Enter(kLow);
  Request& normal = Enter(kNormal);
  EXPECT_EQ(normal.entry.state(), State::kWaiting);
  EXPECT_EQ(low.decided, 0U) << "it hears of it through the loop";
  Turn();
  EXPECT_EQ(low.decided, 1U);
  EXPECT_EQ(low.entry.state(), State::kRefused);
  EXPECT_EQ(low.entry.refusal(), BulkheadStats::kEvicted);
  EXPECT_EQ(Refused(BulkheadStats::kEvicted), 1U);
  const Request& other = Enter(kNormal);
  EXPECT_EQ(other.entry.state(), State::kRefused);
  EXPECT_EQ(Refused(BulkheadStats::kFull), 1U);
  EXPECT_EQ(Waiting(), 1U);
}

TEST_F(BulkheadTest, OneThatIsGivenUpAndLeavesHearsNothing) {
  Start(1);
  Enter();
  Enter();
  Request& low = Enter(kLow);
  Enter(kNormal);
  low.entry.Leave();
  Turn();
  EXPECT_EQ(low.decided, 0U);
  EXPECT_EQ(Waiting(), 1U);
  EXPECT_EQ(Refused(BulkheadStats::kEvicted), 0U);
}

TEST_F(BulkheadTest, AWaitHasALimit) {
  Start(2, 10 * kMillisecond);
  Enter();
  Enter();
  Request& third = Enter();
  Pass(9 * kMillisecond);
  EXPECT_EQ(third.decided, 0U);
  Pass(3 * kMillisecond);
  EXPECT_EQ(third.decided, 1U);
  EXPECT_EQ(third.entry.state(), State::kRefused);
  EXPECT_EQ(third.entry.refusal(), BulkheadStats::kTimeout);
  EXPECT_EQ(Refused(BulkheadStats::kTimeout), 1U);
  EXPECT_EQ(Waiting(), 0U);
}

TEST_F(BulkheadTest, WhoGivesUpWaitingHearsNothing) {
  Start(2);
  Request& first = Enter();
  Enter();
  Request& third = Enter();
  third.entry.Leave();
  EXPECT_EQ(Waiting(), 0U);
  first.entry.Leave();
  Pass(100 * kMillisecond);
  EXPECT_EQ(third.decided, 0U);
  EXPECT_EQ(settings_->active.value(), 1U);
}

TEST_F(BulkheadTest, OneThatLeavesAsItEntersLetsTheNextIn) {
  Start(10);
  Request& first = Enter();
  Enter();
  for (int i = 0; i < 3; ++i) Enter().leaves = true;
  Request& last = Enter();
  first.entry.Leave();
  Turn();
  EXPECT_EQ(last.entry.state(), State::kIn);
}

TEST_F(BulkheadTest, WhatIsReservedIsForHighPriorities) {
  config_.set_requests(10);
  config_.set_reserve(20);
  Start();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(Enter(kNormal).entry.state(), State::kIn) << i;
  EXPECT_EQ(Enter(kNormal).entry.state(), State::kRefused);
  EXPECT_EQ(Enter(kLow).entry.state(), State::kRefused);
  EXPECT_EQ(Enter(kHigh).entry.state(), State::kIn);
  EXPECT_EQ(Enter(RequestPriority::kCritical).entry.state(), State::kIn);
  EXPECT_EQ(Enter(kHigh).entry.state(), State::kRefused);
}

TEST_F(BulkheadTest, AReserveLeavesOneForTheOthers) {
  config_.set_requests(1);
  config_.set_reserve(90);
  Start();
  EXPECT_EQ(Enter(kLow).entry.state(), State::kIn);
}

TEST_F(BulkheadTest, EachConsumerHasItsOwn) {
  config_.mutable_per()->set_header("x-consumer");
  Start(4);
  EXPECT_EQ(Enter(kNormal, 0, 7).entry.state(), State::kIn);
  Request& second = Enter(kNormal, 1, 7);
  EXPECT_EQ(second.entry.state(), State::kIn);
  Request& third = Enter(kNormal, 0, 7);
  EXPECT_EQ(third.entry.state(), State::kWaiting);
  constexpr uint64_t other = 8;
  EXPECT_EQ(Enter(kNormal, 0, other).entry.state(), State::kIn) << "though somebody waits";
  Request& others = Enter(kNormal, 0, other);
  Request& behind = Enter(kNormal, 0, other);
  EXPECT_EQ(behind.entry.state(), State::kWaiting);
  EXPECT_EQ(settings_->active.value(), 4U);
  others.entry.Leave();
  Turn();
  EXPECT_EQ(behind.entry.state(), State::kIn) << "though somebody waits before it";
  EXPECT_EQ(third.entry.state(), State::kWaiting);
  second.entry.Leave();
  Pass(2 * kMillisecond);
  EXPECT_EQ(third.entry.state(), State::kIn);
}

TEST_F(BulkheadTest, OneConsumersFloodLeavesTheQueueToOthers) {
  config_.set_requests(1);
  config_.mutable_per()->set_header("x-consumer");
  Start(4);
  Request& flood = Enter(kNormal, 0, 1);
  for (int i = 0; i < 10; ++i) Enter(kNormal, 0, 1);
  EXPECT_EQ(Waiting(), 4U);
  Request& other = Enter(kNormal, 0, 2);
  Request& waits = Enter(kNormal, 0, 2);
  EXPECT_EQ(waits.entry.state(), State::kWaiting) << "one of the flood's gave way";
  Turn();
  EXPECT_EQ(Refused(BulkheadStats::kEvicted), 1U);
  other.entry.Leave();
  Turn();
  EXPECT_EQ(waits.entry.state(), State::kIn);
  flood.entry.Leave();
  Turn();
  EXPECT_EQ(Waiting(), 2U);
}

// A consumer whose places all workers use is not kept out because another one's are given back here
// again and again.
TEST_F(BulkheadTest, WhatOneConsumerLeavesToOthersHoldsUpNoneOfThem) {
  config_.set_requests(1);
  config_.mutable_per()->set_header("x-consumer");
  Start(100, 10 * kSecond);
  Request& flood = Enter(kNormal, 0, 1);
  for (int i = 0; i < 4; ++i) Enter(kNormal, 0, 1);
  for (int i = 0; i < 99; ++i) Enter(kNormal, 1, 3);
  Request& elsewhere = Enter(kNormal, 1, 2);
  Request& waits = Enter(kNormal, 0, 2);
  elsewhere.entry.Leave();
  flood.entry.Leave();
  Pass(kMillisecond);
  EXPECT_EQ(waits.entry.state(), State::kIn);
}

TEST_F(BulkheadTest, AFloodOnAnotherWorkerCostsNobodyElseHisPlaces) {
  config_.set_requests(1);
  config_.mutable_per()->set_header("x-consumer");
  Start(200, 10 * kSecond);
  for (int i = 0; i < 100; ++i) Enter(kNormal, 1, 3);
  std::vector<Request*> mine;
  for (int i = 0; i < 20; ++i) mine.push_back(&Enter(kNormal, 0, 2));
  for (size_t i = 0; i + 1 < mine.size(); ++i) {
    mine[i]->entry.Leave();
    Turn();
    EXPECT_EQ(mine[i + 1]->entry.state(), State::kIn) << i;
  }
}

TEST_F(BulkheadTest, ALongWaitIsAsLongAsItSays) {
  Start(4, kSecond);
  Request& first = Enter();
  Enter();
  Request& third = Enter();
  Pass(500 * kMillisecond);
  EXPECT_EQ(third.entry.state(), State::kWaiting);
  first.entry.Leave();
  Turn();
  EXPECT_EQ(third.entry.state(), State::kIn);
  Request& fourth = Enter();
  Pass(998 * kMillisecond);
  EXPECT_EQ(fourth.entry.state(), State::kWaiting);
  Pass(4 * kMillisecond);
  EXPECT_EQ(fourth.entry.refusal(), BulkheadStats::kTimeout);
}

TEST_F(BulkheadTest, WhoSaysNoNameIsOneConsumer) {
  config_.mutable_per()->set_header("x-consumer");
  Start();
  EXPECT_EQ(Enter().entry.state(), State::kIn);
  EXPECT_EQ(Enter().entry.state(), State::kIn);
  EXPECT_EQ(Enter().entry.state(), State::kRefused);
}

TEST_F(BulkheadTest, AnAdaptiveLimitIsThatOfAllWorkers) {
  config_.set_requests(20);
  config_.mutable_adaptive()->set_at_least(20);
  config_.mutable_adaptive()->set_at_most(200);
  config_.mutable_adaptive()->set_tolerance(1.5);
  Start();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Enter().entry.state(), State::kIn);
  EXPECT_EQ(Enter().entry.state(), State::kRefused);
  for (int i = 0; i < 100; ++i) workers_[0]->AddSample(10 * kMillisecond);
  EXPECT_EQ(workers_[1]->limit(), 28U) << "20 + 10 * 0.2 * 4";
  EXPECT_EQ(settings_->limit.value(), 28U) << "as it is shown";
  EXPECT_EQ(settings_->gradient.value(), 100U);
  EXPECT_EQ(Enter(kNormal, 1).entry.state(), State::kIn);
}

TEST_F(BulkheadTest, AnAdaptiveLimitIsKeptUnlessItsSettingsChange) {
  config_.set_requests(20);
  config_.mutable_adaptive()->set_at_least(20);
  config_.mutable_adaptive()->set_at_most(200);
  config_.mutable_adaptive()->set_tolerance(1.5);
  Start();
  for (int i = 0; i < 20; ++i) Enter();
  for (int i = 0; i < 100; ++i) workers_[0]->AddSample(10 * kMillisecond);
  for (int i = 0; i < 10; ++i) workers_[0]->AddSample(20 * kMillisecond);
  EXPECT_LT(settings_->gradient.value(), 100U);
  const uint32_t limit = workers_[0]->limit();
  EXPECT_GT(limit, 20U);
  config_.set_reserve(10);
  const LabelList labels{{"cluster", "a"}};
  const BulkheadSettings same(config_, *directory_, labels);
  EXPECT_EQ(same.limit.value(), limit);
  config_.mutable_adaptive()->set_tolerance(2);
  const BulkheadSettings other(config_, *directory_, labels);
  EXPECT_EQ(workers_[0]->limit(), limit) << "it may be refused yet";
  const Bulkhead used(*loop_, random_, other, segment_->worker_row(1));
  EXPECT_EQ(used.limit(), 20U);
  EXPECT_EQ(other.limit.value(), 20U);
  requests_.clear();
}

TEST_F(BulkheadTest, ManyThreadsNeverLetInMore) {
  config_.set_requests(3);
  Start();
  std::atomic<uint64_t> most{0};
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 20000; ++n) {
        Request a;
        Request b;
        workers_[i]->Enter(a.entry, kNormal, std::nullopt);
        workers_[i]->Enter(b.entry, kNormal, std::nullopt);
        const uint64_t now = settings_->active.value();
        uint64_t before = most.load();
        while (now > before && !most.compare_exchange_weak(before, now)) {
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most.load(), 3U);
  EXPECT_GT(most.load(), 0U);
}

TEST(ConsumerCountsTest, NamesAreSpreadDifferentlyInEachProcess) {
  const ConsumerCounts one;
  const ConsumerCounts other;
  std::set<uint64_t> used;
  int same = 0;
  for (uint64_t hash = 0; hash < 1000; ++hash) {
    const uint64_t key = one.KeyOf(hash);
    used.insert(key >> (64 - ConsumerCounts::kBits));
    same += key == other.KeyOf(hash) ? 1 : 0;
  }
  EXPECT_GT(used.size(), 700U) << "of 4096 counters, 1000 names meet in about 115 of them";
  EXPECT_LT(same, 10);
}

// One counter each: two or three of a hundred would meet another. Of two both must be full.
TEST(ConsumerCountsTest, HardlyAnybodyIsRefusedForOthers) {
  int refused = 0;
  for (int round = 0; round < 20; ++round) {
    ConsumerCounts counts;
    for (uint64_t hash = 0; hash < 400; ++hash) {
      refused += counts.TryAdd(counts.KeyOf(hash), 1) ? 0 : 1;
    }
  }
  EXPECT_LT(refused, 60) << "of 8,000; with one counter it would be some 380";
}

TEST(ConsumerCountsTest, NobodyHasMoreThanTheLimit) {
  ConsumerCounts counts;
  const uint64_t key = counts.KeyOf(1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(counts.TryAdd(key, 3));
  EXPECT_FALSE(counts.TryAdd(key, 3));
  EXPECT_EQ(counts.Get(key), 3U);
  counts.Sub(key);
  EXPECT_TRUE(counts.TryAdd(key, 3));
  EXPECT_FALSE(counts.TryAdd(key, 3));
}

TEST(ConsumerCountsTest, NorOfManyThreads) {
  ConsumerCounts counts;
  const uint64_t key = counts.KeyOf(1);
  std::atomic<int> in{0};
  std::atomic<int> most{0};
  std::atomic<int> entered{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 20000; ++n) {
        if (!counts.TryAdd(key, 2)) continue;
        const int now = ++in;
        int before = most;
        while (now > before && !most.compare_exchange_weak(before, now)) {
        }
        ++entered;
        --in;
        counts.Sub(key);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 2);
  EXPECT_GT(entered, 0);
  EXPECT_EQ(counts.Get(key), 0U);
}

}  // namespace
}  // namespace sluice
