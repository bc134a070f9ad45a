#include "core/upstream/bulkhead/admission_queues.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {
namespace {

constexpr auto kLow = RequestPriority::kLow;
constexpr auto kNormal = RequestPriority::kNormal;
constexpr auto kHigh = RequestPriority::kHigh;
constexpr auto kCritical = RequestPriority::kCritical;

struct Waiter final : AdmissionWaiter {
  explicit Waiter(std::string_view text) : name(text) {}
  std::string name;
};

class AdmissionQueuesTest : public ::testing::Test {
 protected:
  // Who goes for it; "": nobody.
  std::string Add(std::string_view name, RequestPriority priority = kNormal,
                  uint64_t consumer = 0) {
    waiters_.push_back(std::make_unique<Waiter>(name));
    return NameOf(queues_.Add(*waiters_.back(), consumer, priority, now_));
  }
  std::string Next(uint64_t consumer = 0) {
    AdmissionQueue* const queue = queues_.Find(consumer);
    if (queue == nullptr) return "";
    AdmissionWaiter* const next = queue->Next(now_);
    queues_.LetIn(*next, now_);
    return NameOf(next);
  }
  std::string Expired() { return NameOf(queues_.TakeExpired(now_)); }
  static std::string NameOf(AdmissionWaiter* waiter) {
    return waiter == nullptr ? "" : static_cast<Waiter*>(waiter)->name;
  }
  size_t SizeOf(uint64_t consumer) {
    const AdmissionQueue* const queue = queues_.Find(consumer);
    return queue == nullptr ? 0 : queue->size();
  }
  void Pass(Nanos time) { now_ += time; }

  Nanos now_ = 1000 * kSecond;
  AdmissionQueueSettings settings_{4, 50 * kMillisecond};
  std::vector<std::unique_ptr<Waiter>> waiters_;
  AdmissionQueues queues_{settings_, true};
};

TEST_F(AdmissionQueuesTest, WhereItIsFullTheNewcomerGoes) {
  for (const char* name : {"a", "b", "c", "d"}) EXPECT_EQ(Add(name), "");
  EXPECT_EQ(Add("e"), "e");
  EXPECT_EQ(Add("f", kLow), "f");
  EXPECT_EQ(queues_.size(), 4U);
  EXPECT_EQ(Next(), "a");
  EXPECT_EQ(Add("g"), "");
}

TEST_F(AdmissionQueuesTest, OrTheNewestOfTheLowestPriorityBelowIt) {
  Add("low 1", kLow);
  Add("low 2", kLow);
  Add("normal", kNormal);
  Add("high", kHigh);
  EXPECT_EQ(Add("a", kNormal), "low 2");
  EXPECT_EQ(Add("b", kHigh), "low 1");
  EXPECT_EQ(Add("c", kHigh), "a");
  EXPECT_EQ(Add("d", kHigh), "normal");
  EXPECT_EQ(Add("e", kHigh), "e");
  EXPECT_EQ(Next(), "high");
}

TEST_F(AdmissionQueuesTest, NobodyWaitsForLongerThanItSays) {
  Add("a", kCritical);
  Pass(30 * kMillisecond);
  Add("b", kLow, 7);
  Pass(20 * kMillisecond - 1);
  EXPECT_EQ(Expired(), "");
  Pass(1);
  EXPECT_EQ(Expired(), "a");
  EXPECT_EQ(Expired(), "");
  Pass(30 * kMillisecond);
  EXPECT_EQ(Expired(), "b");
  EXPECT_TRUE(queues_.empty());
  EXPECT_EQ(queues_.queues(), 0U);
}

TEST_F(AdmissionQueuesTest, EachConsumerHasAQueue) {
  Add("a", kNormal, 1);
  Add("b", kNormal, 2);
  Add("c", kNormal, 1);
  EXPECT_EQ(queues_.queues(), 2U);
  EXPECT_EQ(Next(2), "b");
  EXPECT_EQ(Next(2), "");
  EXPECT_EQ(Next(1), "a");
  EXPECT_EQ(Next(1), "c");
  EXPECT_EQ(queues_.queues(), 0U);
}

TEST_F(AdmissionQueuesTest, WhoFloodsItGivesWayToOthers) {
  for (const char* name : {"a1", "a2", "a3", "a4"}) Add(name, kNormal, 1);
  EXPECT_EQ(Add("b1", kNormal, 2), "a4");
  EXPECT_EQ(Add("c1", kNormal, 3), "a3");
  EXPECT_EQ(Add("a5", kNormal, 1), "a5") << "but not to himself";
  EXPECT_EQ(Add("d1", kNormal, 4), "a2");
  EXPECT_EQ(Add("e1", kNormal, 5), "e1") << "all have one now";
  EXPECT_EQ(Add("b2", kNormal, 2), "b2");
  EXPECT_EQ(Add("a6", kHigh, 1), "b1") << "a higher priority comes first";
}

TEST_F(AdmissionQueuesTest, NobodyTakesMoreThanHisShare) {
  settings_.requests = 400;
  constexpr uint64_t kConsumers = 8;
  // The first comes a hundred times as often.
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 100; ++i) Add("flood", kNormal, 0);
    for (uint64_t i = 1; i < kConsumers; ++i) Add("other", kNormal, i);
  }
  EXPECT_EQ(queues_.size(), 400U);
  for (uint64_t i = 1; i < kConsumers; ++i) EXPECT_GE(SizeOf(i), 400 / kConsumers / 2) << i;
  EXPECT_LE(SizeOf(0), 2 * 400 / kConsumers);
}

TEST_F(AdmissionQueuesTest, TheQueuesHaveTheirTurns) {
  for (uint64_t consumer : {1, 2, 3}) Add("a", kNormal, consumer);
  AdmissionQueue* const first = &queues_.TakeTurn();
  EXPECT_EQ(first, queues_.Find(1));
  EXPECT_EQ(&queues_.TakeTurn(), queues_.Find(2));
  EXPECT_EQ(&queues_.TakeTurn(), queues_.Find(3));
  EXPECT_EQ(&queues_.TakeTurn(), first);
}

// Whose hashes meet in a bucket, and what is used again, are kept apart.
TEST_F(AdmissionQueuesTest, ManyConsumers) {
  settings_.requests = 100'000;
  for (int round = 0; round < 3; ++round) {
    for (uint64_t i = 0; i < 5000; ++i) Add(std::to_string(i), kNormal, i);
    EXPECT_EQ(queues_.queues(), 5000U);
    for (uint64_t i = 0; i < 5000; ++i) ASSERT_EQ(Next(i), std::to_string(i));
    EXPECT_TRUE(queues_.empty());
  }
}

}  // namespace
}  // namespace sluice
