#include "core/server/configuration/guard_window.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using Verdict = GuardWindow::Verdict;

class GuardWindowTest : public testing::Test {
 protected:
  // A second in which `all` were answered, `failed` of them with 5xx.
  Verdict Second(uint64_t all, uint64_t failed) {
    now_ += kSecond;
    return window_.Count(now_, {all, failed});
  }
  void Begin() { window_.Begin(now_, settings_); }

  GuardSettings settings_{10 * kSecond, 5 * kSecond, 5, 20};
  Nanos now_ = 1000 * kSecond;
  GuardWindow window_;
};

TEST_F(GuardWindowTest, ItFailsAsSoonAsTheShareIsPassed) {
  EXPECT_EQ(Second(100, 1), Verdict::kNone);
  Begin();
  EXPECT_TRUE(window_.open());
  EXPECT_EQ(Second(100, 6), Verdict::kNone);  // 1% + 5%: not more
  EXPECT_EQ(Second(100, 7), Verdict::kFailed);
  EXPECT_FALSE(window_.open());
  EXPECT_EQ(window_.before().all, 100U);
  EXPECT_EQ(window_.after().all, 200U);
  EXPECT_EQ(window_.after().failed, 13U);
  EXPECT_DOUBLE_EQ(window_.after().share(), 6.5);
  EXPECT_EQ(window_.lasted(now_), 2 * kSecond);
  EXPECT_EQ(Second(100, 100), Verdict::kNone);  // said once
}

TEST_F(GuardWindowTest, FewResponsesSayNothing) {
  Begin();
  EXPECT_EQ(Second(19, 19), Verdict::kNone);
  EXPECT_EQ(Second(1, 0), Verdict::kFailed);
}

TEST_F(GuardWindowTest, ItStandsWhenTheWindowIsOver) {
  Begin();
  for (int i = 0; i < 9; ++i) EXPECT_EQ(Second(10, 0), Verdict::kNone);
  EXPECT_EQ(Second(10, 0), Verdict::kStood);
  EXPECT_FALSE(window_.open());
  EXPECT_EQ(Second(100, 100), Verdict::kNone);  // nothing is on trial
}

TEST_F(GuardWindowTest, TheLastSecondCanStillFail) {
  Begin();
  for (int i = 0; i < 9; ++i) EXPECT_EQ(Second(0, 0), Verdict::kNone);
  EXPECT_EQ(Second(20, 20), Verdict::kFailed);
}

TEST_F(GuardWindowTest, OnlyTheTimeBeforeCounts) {
  Second(100, 100);  // 6 s before the change
  for (int i = 0; i < 5; ++i) Second(10, 1);
  Second(0, 0);
  Begin();
  EXPECT_EQ(window_.before().all, 40U);
  EXPECT_EQ(window_.before().failed, 4U);
}

// What stood its window is part of the time before the next.
TEST_F(GuardWindowTest, WhatStoodIsTheTimeBefore) {
  Begin();
  for (int i = 0; i < 10; ++i) Second(100, 3);
  Begin();
  EXPECT_EQ(window_.before().all, 500U);
  EXPECT_EQ(window_.before().failed, 15U);
}

// Else a slow slide in small steps would pass, each of them a little worse.
TEST_F(GuardWindowTest, ASecondChangeIsComparedWithTheTimeBeforeTheFirst) {
  Second(100, 0);
  Begin();
  Second(100, 4);
  Begin();
  EXPECT_EQ(window_.before().all, 100U);
  EXPECT_EQ(window_.before().failed, 0U);
  EXPECT_EQ(window_.after().all, 0U);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(Second(100, 4), Verdict::kNone);
  EXPECT_EQ(Second(100, 40), Verdict::kFailed);
  // As is one after a trial that failed, and nobody went back from.
  Second(100, 100);
  Begin();
  EXPECT_EQ(window_.before().all, 100U);
  EXPECT_EQ(window_.before().failed, 0U);
}

TEST_F(GuardWindowTest, WhatFailedIsNotTheTimeBefore) {
  Second(100, 0);
  Begin();
  EXPECT_EQ(Second(100, 100), Verdict::kFailed);
  window_.Trust();  // gone back
  Second(50, 0);
  Begin();
  EXPECT_EQ(window_.before().all, 150U);
  EXPECT_EQ(window_.before().failed, 0U);
}

}  // namespace
}  // namespace sluice
