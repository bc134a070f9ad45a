// The policies that compare members: who is taken of members whose state is given.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/upstream/balance/test_group.h"

namespace sluice {
namespace {

TEST(LeastRequest, TheBusierOfTwoIsNeverTaken) {
  TestBalancer worker(BalancePolicy::kLeastRequest, 1);
  TestGroup group = TestGroup::Equal(2);
  worker.Update(group);
  group.active(0).store(4);
  group.active(1).store(3);
  EXPECT_EQ(CountOf(worker.PickMany(1000), 2), (std::vector<size_t>{0, 1000}));
}

// Two of N are looked at: the least busy is among them with 2/N, the busiest never wins.
TEST(LeastRequest, LooksAtTwo) {
  TestBalancer worker(BalancePolicy::kLeastRequest, 2);
  TestGroup group = TestGroup::Equal(5);
  worker.Update(group);
  for (size_t i = 0; i < 5; ++i) group.active(i).store(i);
  const std::vector<size_t> counts = CountOf(worker.PickMany(100'000), 5);
  const double pairs[] = {4, 3, 2, 1, 0};  // of 10, in which it is the better one
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(static_cast<double>(counts[i]), pairs[i] * 10'000, 500) << i;
  }
}

TEST(LeastRequest, WeighsWhatIsInFlight) {
  TestBalancer worker(BalancePolicy::kLeastRequest, 3);
  TestGroup group({{0, 1}, {1, 4}});
  worker.Update(group);
  group.active(0).store(2);  // 2 of 1
  group.active(1).store(6);  // 7/4 with the next one
  EXPECT_EQ(CountOf(worker.PickMany(1000), 2)[0], 0u);
  group.active(1).store(12);  // 3 of 1
  EXPECT_EQ(CountOf(worker.PickMany(1000), 2)[1], 0u);
}

TEST(LeastConnections, TakesTheLeastOfAll) {
  TestBalancer worker(BalancePolicy::kLeastConnections, 4);
  TestGroup group = TestGroup::Equal(6);
  worker.Update(group);
  for (size_t i = 0; i < 6; ++i) group.active(i).store(i == 4 ? 1 : 2);
  EXPECT_EQ(CountOf(worker.PickMany(1000), 6)[4], 1000u);
  TriedEndpoints tried = Tried(group, {4});
  group.active(2).store(1);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(worker.PickOther(tried), 2u);
}

TEST(LeastConnections, WeighsWhatIsInFlightAndSharesAmongEquals) {
  TestBalancer worker(BalancePolicy::kLeastConnections, 5);
  TestGroup group({{0, 1}, {1, 3}, {2, 1}});
  worker.Update(group);
  group.active(0).store(1);
  group.active(1).store(2);
  group.active(2).store(1);
  EXPECT_EQ(CountOf(worker.PickMany(1000), 3)[1], 1000u);
  group.active(1).store(3);  // all alike: by weight
  const std::vector<size_t> counts = CountOf(worker.PickMany(100'000), 3);
  EXPECT_NEAR(static_cast<double>(counts[0]), 20'000, 600);
  EXPECT_NEAR(static_cast<double>(counts[1]), 60'000, 800);
}

class ByLatency : public testing::TestWithParam<BalancePolicy> {
 protected:
  void Measure(size_t place, Nanos latency) {
    group_.load(place).latency.AddPeak(latency, worker_.now, worker_.settings.decay);
  }

  TestBalancer worker_{GetParam(), 6};
  TestGroup group_ = TestGroup::Equal(2);
};

TEST_P(ByLatency, TheFasterIsTaken) {
  worker_.Update(group_);
  Measure(0, 10 * kMillisecond);
  Measure(1, 9 * kMillisecond);
  EXPECT_EQ(CountOf(worker_.PickMany(1000), 2)[1], 1000u);
}

TEST_P(ByLatency, WhatIsInFlightMultiplies) {
  worker_.Update(group_);
  Measure(0, 10 * kMillisecond);
  Measure(1, 4 * kMillisecond);
  group_.active(1).store(1);  // 8 ms
  EXPECT_EQ(CountOf(worker_.PickMany(1000), 2)[1], 1000u);
  group_.active(1).store(2);  // 12 ms
  EXPECT_EQ(CountOf(worker_.PickMany(1000), 2)[0], 1000u);
}

TEST_P(ByLatency, AnOldMeasurementFades) {
  worker_.settings.exploration = 0;
  worker_.Update(group_);
  Measure(0, kSecond);
  for (int i = 0; i < 60; ++i) {
    worker_.now += kSecond;
    Measure(1, 10 * kMillisecond);
    if (i == 30) {
      EXPECT_EQ(worker_.Pick(), 1u);
    }
  }
  EXPECT_EQ(CountOf(worker_.PickMany(1000), 2)[0], 1000u);
}

INSTANTIATE_TEST_SUITE_P(Policies, ByLatency,
                         testing::Values(BalancePolicy::kPeakEwma,
                                         BalancePolicy::kLeastResponseTime),
                         [](const auto& tested) { return std::string(NameOf(tested.param)); });

TEST(PeakEwma, ExploresOnlyWhatWasSilentForASecond) {
  TestBalancer worker(BalancePolicy::kPeakEwma, 7);
  TestGroup group = TestGroup::Equal(2);
  worker.Update(group);
  const auto measure = [&](size_t place, Nanos latency) {
    group.load(place).latency.AddPeak(latency, worker.now, worker.settings.decay);
  };
  measure(0, kSecond);
  measure(1, kMillisecond);
  worker.now += kSecond;
  EXPECT_EQ(CountOf(worker.PickMany(10'000), 2)[0], 0u);
  worker.now += 1;
  measure(1, kMillisecond);
  // Drawn first with one half, then taken with 5%.
  EXPECT_NEAR(static_cast<double>(CountOf(worker.PickMany(100'000), 2)[0]), 2500, 200);
}

}  // namespace
}  // namespace sluice
