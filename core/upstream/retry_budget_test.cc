#include "core/upstream/retry_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace sluice {
namespace {

class RetryBudgetTest : public testing::Test {
 protected:
  RetryBudget Make(RetryBudgetSettings settings = {0.2, 0}) {
    return RetryBudget(settings, SharedWords(cells_));
  }
  static int TakeAll(RetryBudget& budget, Nanos now) {
    int taken = 0;
    while (taken < 1'000'000 && budget.Take(now)) ++taken;
    return taken;
  }

  StatsCell cells_[SharedWords::kCount] = {};
  Nanos now_ = 1000 * kSecond;
};

TEST_F(RetryBudgetTest, AShareOfTheRequests) {
  RetryBudget budget = Make();
  EXPECT_FALSE(budget.Take(now_));
  for (int i = 0; i < 100; ++i) budget.OnRequest(now_);
  EXPECT_EQ(TakeAll(budget, now_), 20);
  for (int i = 0; i < 5; ++i) budget.OnRequest(now_);
  EXPECT_EQ(TakeAll(budget, now_), 1);
}

TEST_F(RetryBudgetTest, AFewASecondBesides) {
  RetryBudget budget = Make({0, 10});
  EXPECT_EQ(TakeAll(budget, now_), 100);
  EXPECT_EQ(TakeAll(budget, now_ + 9 * kSecond), 0);
  EXPECT_EQ(TakeAll(budget, now_ + 10 * kSecond), 100);
}

TEST_F(RetryBudgetTest, RequestsCountForTenSeconds) {
  RetryBudget budget = Make();
  for (int i = 0; i < 100; ++i) budget.OnRequest(now_);
  RetryBudget later = Make();
  budget.OnRequest(now_ + kSecond);
  EXPECT_EQ(TakeAll(later, now_ + 9 * kSecond), 20);
  EXPECT_EQ(TakeAll(later, now_ + 10 * kSecond), 0);
}

TEST_F(RetryBudgetTest, WorkersShareIt) {
  RetryBudget one = Make();
  RetryBudget other = Make();
  for (int i = 0; i < 50; ++i) one.OnRequest(now_);
  for (int i = 0; i < 50; ++i) other.OnRequest(now_);
  one.OnRequest(now_ + kSecond);
  EXPECT_EQ(TakeAll(other, now_ + kSecond), 20);
  EXPECT_FALSE(one.Take(now_ + kSecond));
}

TEST_F(RetryBudgetTest, WhatWasCountedLongAgoDisturbsNoLaterSecond) {
  RetryBudget idle = Make();
  for (int i = 0; i < 1000; ++i) idle.OnRequest(now_);
  RetryBudget busy = Make();
  const Nanos later = now_ + 16 * kSecond;  // the same slot
  for (int i = 0; i < 100; ++i) busy.OnRequest(later);
  idle.OnRequest(later);
  EXPECT_EQ(TakeAll(busy, later), 20);
}

TEST_F(RetryBudgetTest, TheFirstSecondsOfAClock) {
  RetryBudget budget = Make();
  for (int i = 0; i < 10; ++i) budget.OnRequest(0);
  EXPECT_EQ(TakeAll(budget, kSecond), 2);
}

TEST_F(RetryBudgetTest, CountsDoNotOverflow) {
  RetryBudget budget = Make({1000, 0});
  for (int i = 0; i < 17'000'000; ++i) budget.OnRequest(now_);
  EXPECT_EQ(TakeAll(budget, now_), 1'000'000);
  EXPECT_TRUE(budget.Take(now_ + kSecond));
}

TEST_F(RetryBudgetTest, ThreadsTakeNoMoreThanThereIsButForARace) {
  RetryBudget filled = Make();
  for (int i = 0; i < 10000; ++i) filled.OnRequest(now_);
  filled.OnRequest(now_ + kSecond);
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      RetryBudget budget = Make();
      taken += TakeAll(budget, now_ + kSecond);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(taken.load(), 2000);
  EXPECT_LE(taken.load(), 2004);
}

}  // namespace
}  // namespace sluice
