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
  void Add(std::string_view name, RequestPriority priority = kNormal) {
    waiters_.push_back(std::make_unique<Waiter>(name));
    queue_.Add(*waiters_.back(), priority, now_);
  }
  // Who comes in; "": nobody waits.
  std::string Next() {
    AdmissionWaiter* const next = queue_.Next(now_);
    if (next == nullptr) return "";
    queue_.LetIn(*next, now_);
    return static_cast<Waiter*>(next)->name;
  }
  std::string Cut() {
    AdmissionWaiter* const cut = queue_.FindCut(now_);
    if (cut == nullptr) return "";
    queue_.Remove(*cut);
    return static_cast<Waiter*>(cut)->name;
  }
  void Pass(Nanos time) { now_ += time; }
  // Whoever enters has waited for so long, and one more always waits, for longer than an interval.
  void Stand(Nanos wait = 6 * kMillisecond) {
    Add("first");
    const Nanos end = now_ + settings_.interval();
    while (now_ < end) {
      Pass(wait);
      Add("another");
      Next();
    }
    Look();
  }
  void Look() { queue_.Next(now_); }

  Nanos now_ = 1000 * kSecond;
  AdmissionQueueSettings settings_{100, 50 * kMillisecond};
  std::vector<std::unique_ptr<Waiter>> waiters_;
  AdmissionQueue queue_{settings_};
};

TEST_F(AdmissionQueueTest, WhoCameFirstIsFirst) {
  for (const char* name : {"a", "b", "c"}) Add(name);
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

TEST_F(AdmissionQueueTest, WhoGivesUpIsNeverNext) {
  for (const char* name : {"a", "b", "c"}) Add(name);
  queue_.Remove(*waiters_[1]);
  EXPECT_EQ(waiters_[1]->queue(), nullptr);
  EXPECT_EQ(Next(), "a");
  EXPECT_EQ(Next(), "c");
  EXPECT_EQ(Next(), "");
}

TEST_F(AdmissionQueueTest, StandsWhereNobodysWaitIsShort) {
  Stand();
  EXPECT_TRUE(queue_.standing());
}

TEST_F(AdmissionQueueTest, DoesNotStandWhereOneWaitIsShort) {
  Stand(5 * kMillisecond);
  EXPECT_FALSE(queue_.standing());
}

TEST_F(AdmissionQueueTest, StandsWhereNobodyComesIn) {
  Add("a");
  Pass(100 * kMillisecond - 1);
  EXPECT_EQ(Cut(), "");
  Pass(1);
  EXPECT_EQ(Cut(), "a");
}

TEST_F(AdmissionQueueTest, WhoMustGoWhereThereIsNoRoomHasNotComeIn) {
  Add("a");
  for (int i = 0; i < 25; ++i) {
    Pass(4 * kMillisecond);
    Add("evicted");
    queue_.Remove(*waiters_.back());
  }
  Look();
  EXPECT_TRUE(queue_.standing());
}

TEST_F(AdmissionQueueTest, WhileItStandsTheNewestComeFirst) {
  Stand();
  Add("a");
  Add("b");
  Add("low", kLow);
  EXPECT_EQ(Next(), "b");
  EXPECT_EQ(Next(), "a");
  EXPECT_EQ(Next(), "another");
  EXPECT_EQ(Next(), "low");
}

TEST_F(AdmissionQueueTest, WhileItStandsWaitsAreCut) {
  Stand();
  Add("a");
  Pass(5 * kMillisecond - 1);
  EXPECT_EQ(Cut(), "another") << "which came before";
  EXPECT_EQ(Cut(), "");
  Pass(1);
  EXPECT_EQ(Cut(), "a");
}

TEST_F(AdmissionQueueTest, StandsWhileWaitsAreCut) {
  Stand();
  for (int i = 0; i < 100; ++i) {
    Add("a");
    Add("b");
    Pass(5 * kMillisecond);
    EXPECT_EQ(Next(), "b") << i;
    Add("c");
    Cut();
  }
  EXPECT_TRUE(queue_.standing()) << "waits that are cut are short, and say nothing";
}

TEST_F(AdmissionQueueTest, StandsNoMoreWhenItWasEmpty) {
  Stand();
  while (!Next().empty()) {
  }
  Add("a");
  EXPECT_FALSE(queue_.standing());
  Add("b");
  Pass(50 * kMillisecond);
  EXPECT_EQ(Cut(), "");
  EXPECT_EQ(Next(), "a");
}

// Who allows a long wait gets it.
TEST_F(AdmissionQueueTest, ALongWaitIsNotCutToAShortOne) {
  settings_.wait = 2 * kSecond;
  Add("a");
  Add("b");
  for (int i = 0; i < 19; ++i) {
    Pass(100 * kMillisecond);
    EXPECT_EQ(Cut(), "");
  }
  EXPECT_EQ(Next(), "a") << "in the order of arrival";
  Pass(100 * kMillisecond);
  EXPECT_EQ(Cut(), "b") << "nobody waited for less than 100 ms in 2 s";
  Stand(100 * kMillisecond);
  EXPECT_FALSE(queue_.standing());
}

}  // namespace
}  // namespace sluice
