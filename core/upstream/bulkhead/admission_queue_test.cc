#include "core/upstream/bulkhead/admission_queue.h"

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

class AdmissionQueueTest : public ::testing::Test {
 protected:
  // Who goes for it; "": nobody.
  std::string Add(std::string_view name, RequestPriority priority = kNormal) {
    waiters_.push_back(std::make_unique<Waiter>(name));
    return NameOf(queue_.Add(*waiters_.back(), priority, now_));
  }
  std::string Next() {
    return NameOf(queue_.TakeNext(now_, false, [](const AdmissionWaiter&) { return true; }));
  }
  std::string Expired() { return NameOf(queue_.TakeExpired(now_)); }
  static std::string NameOf(AdmissionWaiter* waiter) {
    return waiter == nullptr ? "" : static_cast<Waiter*>(waiter)->name;
  }
  void Pass(Nanos time) { now_ += time; }
  // For 100 ms whoever enters has waited for so long.
  void Stand(Nanos wait = 6 * kMillisecond) {
    Next();
    Pass(AdmissionQueue::kInterval);
    Add("before");
    Pass(wait);
    Next();
    Pass(AdmissionQueue::kInterval - wait);
    Add("behind");
    Pass(wait);
    Next();
    EXPECT_TRUE(queue_.empty());
  }

  Nanos now_ = 1000 * kSecond;
  AdmissionQueue queue_{{4, 50 * kMillisecond}};
  std::vector<std::unique_ptr<Waiter>> waiters_;
};

TEST_F(AdmissionQueueTest, WhoCameFirstIsFirst) {
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(Add(name), "");
  EXPECT_EQ(queue_.size(), 3U);
  EXPECT_EQ(Next(), "a");
  EXPECT_EQ(Next(), "b");
  EXPECT_EQ(Next(), "c");
  EXPECT_EQ(Next(), "");
  EXPECT_TRUE(queue_.empty());
}

TEST_F(AdmissionQueueTest, PriorityComesBeforeArrival) {
  Add("low", kLow);
  Add("normal", kNormal);
  Add("critical", kCritical);
  Add("high", kHigh);
  EXPECT_EQ(Next(), "critical");
  EXPECT_EQ(Next(), "high");
  EXPECT_EQ(Next(), "normal");
  EXPECT_EQ(Next(), "low");
}

TEST_F(AdmissionQueueTest, SaysWhoComesBeforeANewcomer) {
  EXPECT_FALSE(queue_.IsAheadOf(kLow));
  Add("normal", kNormal);
  EXPECT_TRUE(queue_.IsAheadOf(kLow));
  EXPECT_TRUE(queue_.IsAheadOf(kNormal));
  EXPECT_FALSE(queue_.IsAheadOf(kHigh));
}

TEST_F(AdmissionQueueTest, WhereItIsFullTheNewcomerGoes) {
  for (const char* name : {"a", "b", "c", "d"}) Add(name);
  EXPECT_EQ(Add("e"), "e");
  EXPECT_EQ(Add("f", kLow), "f");
  EXPECT_EQ(queue_.size(), 4U);
  EXPECT_EQ(Next(), "a");
}

TEST_F(AdmissionQueueTest, OrTheNewestOfTheLowestPriorityBelowIt) {
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

TEST_F(AdmissionQueueTest, NobodyWaitsForLongerThanItSays) {
  Add("a", kCritical);
  Pass(30 * kMillisecond);
  Add("b", kLow);
  Pass(20 * kMillisecond - 1);
  EXPECT_EQ(Expired(), "");
  Pass(1);
  EXPECT_EQ(Expired(), "a");
  EXPECT_EQ(Expired(), "");
  Pass(30 * kMillisecond);
  EXPECT_EQ(Expired(), "b");
  EXPECT_TRUE(queue_.empty());
}

TEST_F(AdmissionQueueTest, WhoGivesUpIsNeverNext) {
  for (const char* name : {"a", "b", "c"}) Add(name);
  queue_.Remove(*waiters_[1]);
  EXPECT_FALSE(waiters_[1]->queued());
  EXPECT_EQ(Next(), "a");
  EXPECT_EQ(Next(), "c");
  EXPECT_EQ(Next(), "");
}

TEST_F(AdmissionQueueTest, WhoCannotEnterKeepsThoseBehindOutOnlyIfTheyWantTheSame) {
  for (const char* name : {"a", "b"}) Add(name);
  const auto only_b = [](const AdmissionWaiter& each) {
    return static_cast<const Waiter&>(each).name == "b";
  };
  EXPECT_EQ(NameOf(queue_.TakeNext(now_, false, only_b)), "");
  EXPECT_EQ(NameOf(queue_.TakeNext(now_, true, only_b)), "b");
  EXPECT_EQ(queue_.size(), 1U);
}

TEST_F(AdmissionQueueTest, StandsWhereNobodysWaitIsShort) {
  Stand();
  EXPECT_TRUE(queue_.standing());
}

TEST_F(AdmissionQueueTest, DoesNotStandWhereOneWaitIsShort) {
  Stand(AdmissionQueue::kTarget);
  EXPECT_FALSE(queue_.standing());
  Add("a");
  Pass(90 * kMillisecond);
  queue_.OnPassed(now_);
  Next();
  Pass(20 * kMillisecond);
  Add("b");
  EXPECT_FALSE(queue_.standing()) << "somebody did not wait at all";
}

TEST_F(AdmissionQueueTest, StandsWhereNobodyLeavesIt) {
  AdmissionQueue queue({4, kSecond});
  Waiter waiter("a");
  Pass(AdmissionQueue::kInterval);
  queue.Add(waiter, kNormal, now_);
  EXPECT_FALSE(queue.standing());
  Pass(AdmissionQueue::kInterval);
  EXPECT_EQ(NameOf(queue.TakeExpired(now_)), "a") << "as its wait is cut to 5 ms now";
  EXPECT_TRUE(queue.standing());
}

TEST_F(AdmissionQueueTest, WhileItStandsTheNewestComeFirst) {
  Stand();
  Add("a");
  Add("b");
  Add("low", kLow);
  EXPECT_EQ(Next(), "b");
  EXPECT_EQ(Next(), "a");
  EXPECT_EQ(Next(), "low");
}

TEST_F(AdmissionQueueTest, WhileItStandsWaitsAreCut) {
  Stand();
  Add("a");
  Pass(AdmissionQueue::kTarget - 1);
  EXPECT_EQ(Expired(), "");
  Pass(1);
  EXPECT_EQ(Expired(), "a");
}

TEST_F(AdmissionQueueTest, StandsUntilSomebodyNeedNotWait) {
  Stand();
  for (int i = 0; i < 200; ++i) {
    Add("a");
    Pass(kMillisecond);
    EXPECT_EQ(Next(), "a");
  }
  EXPECT_TRUE(queue_.standing()) << "waits that are cut are short";
  queue_.OnPassed(now_);
  Pass(AdmissionQueue::kInterval);
  Add("b");
  EXPECT_FALSE(queue_.standing());
  Add("c");
  EXPECT_EQ(Next(), "b");
}

TEST_F(AdmissionQueueTest, WhatWasLongAgoIsForgotten) {
  Stand();
  Pass(10 * kSecond);
  Add("a");
  EXPECT_FALSE(queue_.standing());
}

}  // namespace
}  // namespace sluice
