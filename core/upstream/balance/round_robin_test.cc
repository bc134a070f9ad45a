#include "core/upstream/balance/round_robin.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/upstream/balance/test_group.h"

namespace sluice {
namespace {

// `picks` begun at each of its places in turn: is `cycle` one of them?
bool IsRotation(const std::vector<size_t>& picks, std::vector<size_t> cycle) {
  for (size_t i = 0; i < cycle.size(); ++i) {
    if (picks == cycle) return true;
    std::rotate(cycle.begin(), cycle.begin() + 1, cycle.end());
  }
  return false;
}

TEST(RoundRobin, TakesEqualEndpointsInTurn) {
  TestBalancer worker(BalancePolicy::kRoundRobin, 7);
  const TestGroup set({{0, 4}, {1, 4}, {2, 4}});
  worker.Update(set);
  const std::vector<size_t> picks = worker.PickMany(6);
  EXPECT_TRUE(IsRotation(picks, {0, 1, 2, 0, 1, 2})) << testing::PrintToString(picks);
}

// The example of nginx 1.3.1, which brought the algorithm: {5, 1, 1} gives a, a, b, a, c, a, a.
TEST(RoundRobin, SpreadsWeightsSmoothly) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    TestBalancer worker(BalancePolicy::kRoundRobin, seed);
    const TestGroup set({{0, 50}, {1, 10}, {2, 10}});
    worker.Update(set);
    const std::vector<size_t> picks = worker.PickMany(7);
    EXPECT_TRUE(IsRotation(picks, {0, 0, 1, 0, 2, 0, 0})) << testing::PrintToString(picks);
  }
}

TEST(RoundRobin, EachCycleGivesExactlyTheWeights) {
  TestBalancer worker(BalancePolicy::kRoundRobin, 8);
  const TestGroup set({{0, 13}, {1, 7}, {2, 1}, {3, 4}});
  worker.Update(set);
  for (int cycle = 0; cycle < 5; ++cycle) {
    EXPECT_EQ(CountOf(worker.PickMany(25), 4), (std::vector<size_t>{13, 7, 1, 4}));
  }
}

TEST(RoundRobin, WorkersBeginAtDifferentPlaces) {
  for (const bool equal : {true, false}) {
    const TestGroup set = equal
                              ? TestGroup::Equal(16)
                              : TestGroup({{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 6}, {6, 7}});
    std::vector<size_t> first(set.size());
    for (uint64_t seed = 0; seed < 320; ++seed) {
      TestBalancer worker(BalancePolicy::kRoundRobin, seed);
      worker.Update(set);
      ++first.at(worker.Pick());
    }
    // Begun at one place, 320 workers would all send their first request to the same endpoint.
    EXPECT_LT(*std::max_element(first.begin(), first.end()), 120u);
    EXPECT_GT(*std::min_element(first.begin(), first.end()), 0u);
  }
}

TEST(RoundRobin, ATriedEndpointIsPassedOverWithoutStoppingTheTurn) {
  TestBalancer worker(BalancePolicy::kRoundRobin, 9);
  const TestGroup set = TestGroup::Equal(4);
  worker.Update(set);
  while (worker.Pick() != 3) {
  }
  EXPECT_EQ(worker.PickOther(Tried(set, {0})), 1u);
  EXPECT_EQ(worker.PickOther(Tried(set, {0})), 2u);
  EXPECT_EQ(worker.Pick(), 3u);
  EXPECT_EQ(worker.Pick(), 0u);
}

TEST(RoundRobin, TheTurnStaysWithItsEndpointWhenOthersLeaveOrCome) {
  TestBalancer worker(BalancePolicy::kRoundRobin, 10);
  const TestGroup five = TestGroup::Equal(5);
  worker.Update(five);
  while (worker.Pick() != 2) {
  }
  // Host 3 is next. Host 1 leaves before it: 3 is index 2 now.
  const TestGroup without_1({{0, 1}, {2, 1}, {3, 1}, {4, 1}});
  worker.Update(without_1);
  EXPECT_EQ(worker.Pick(), 2u);
  // Host 4 is next, and leaves: 0 follows.
  const TestGroup without_4({{0, 1}, {2, 1}, {3, 1}});
  worker.Update(without_4);
  EXPECT_EQ(worker.Pick(), 0u);
  // Host 2 is next; newcomers stand before it.
  const TestGroup more({{7, 1}, {0, 1}, {8, 1}, {2, 1}, {3, 1}});
  worker.Update(more);
  EXPECT_EQ(worker.PickMany(3), (std::vector<size_t>{3, 4, 0}));
}

TEST(RoundRobin, AnUnchangedSetDoesNotMoveTheWeightedTurn) {
  TestBalancer moved(BalancePolicy::kRoundRobin, 11);
  TestBalancer left_alone(BalancePolicy::kRoundRobin, 11);
  const TestGroup set({{0, 5}, {1, 2}, {2, 4}});
  moved.Update(set);
  left_alone.Update(set);
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(moved.Pick(), left_alone.Pick()) << i;
    moved.Update(set);
  }
}

TEST(RoundRobin, AWeightedNewcomerIsNeitherFloodedNorStarved) {
  TestBalancer worker(BalancePolicy::kRoundRobin, 12);
  const TestGroup heavy({{0, 40000}, {1, 20001}});
  worker.Update(heavy);
  worker.PickMany(12345);
  const TestGroup light({{0, 1}, {1, 2}, {2, 3}});
  worker.Update(light);
  // A hundred cycles: each gets its share, give or take one cycle's.
  const std::vector<size_t> counts = CountOf(worker.PickMany(600), 3);
  EXPECT_NEAR(static_cast<double>(counts[0]), 100, 6);
  EXPECT_NEAR(static_cast<double>(counts[1]), 200, 6);
  EXPECT_NEAR(static_cast<double>(counts[2]), 300, 6);
}

}  // namespace
}  // namespace sluice
