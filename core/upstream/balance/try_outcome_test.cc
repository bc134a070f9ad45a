#include "core/upstream/balance/try_outcome.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(TryOutcomeTest, WithoutAHeadItIsWhatItEndedAs) {
  for (const auto outcome : {TryOutcome::kNotConnected, TryOutcome::kReset, TryOutcome::kTimedOut,
                             TryOutcome::kCancelled}) {
    EXPECT_EQ(VerdictOf(outcome, 0, 0), outcome);
    EXPECT_EQ(VerdictOf(outcome, 0, 60 * kSecond), outcome);
  }
}

TEST(TryOutcomeTest, ABodyThatBreaksCountsForAWhile) {
  for (const auto outcome : {TryOutcome::kReset, TryOutcome::kTimedOut}) {
    EXPECT_EQ(VerdictOf(outcome, 200, 0), outcome);
    EXPECT_EQ(VerdictOf(outcome, 200, kBodyCounts - 1), outcome);
    EXPECT_EQ(VerdictOf(outcome, 200, kBodyCounts), TryOutcome::kAnswered);
  }
}

TEST(TryOutcomeTest, AServerErrorIsOneWhateverFollows) {
  for (const auto outcome :
       {TryOutcome::kAnswered, TryOutcome::kReset, TryOutcome::kTimedOut, TryOutcome::kCancelled}) {
    EXPECT_EQ(VerdictOf(outcome, 503, 0), TryOutcome::kServerError);
  }
}

TEST(TryOutcomeTest, AClientThatGoesLeavesItToTheHead) {
  EXPECT_EQ(VerdictOf(TryOutcome::kCancelled, 404, 0), TryOutcome::kAnswered);
}

TEST(TryOutcomeTest, WhatWeLackIsNoFailure) {
  const Error ours{Code::kExhausted, Side::kInternal, Retry::kSafe, "socket"};
  const Error theirs{Code::kRefused, Side::kUpstream, Retry::kSafe, "connect"};
  EXPECT_EQ(OutcomeOf(ours, false), TryOutcome::kCancelled);
  EXPECT_EQ(OutcomeOf(theirs, false), TryOutcome::kNotConnected);
  EXPECT_EQ(OutcomeOf(theirs, true), TryOutcome::kReset);
}

}  // namespace
}  // namespace sluice
