#include "core/upstream/balancer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "core/base/strings.h"

namespace sluice {
namespace {

constexpr size_t kNone = Balancer::kNoEndpoint;

EndpointSet MakeSet(const std::vector<std::pair<int, uint32_t>>& hosts) {
  EndpointSet set;
  for (const auto& [host, weight] : hosts) {
    Endpoint endpoint;
    endpoint.text = StrCat({"10.0.", Decimal(static_cast<uint64_t>(host / 250)), ".",
                            Decimal(static_cast<uint64_t>(host % 250)), ":80"});
    endpoint.address = Address::Parse(endpoint.text).value();
    endpoint.weight = weight;
    set.total_weight += weight;
    set.endpoints.push_back(std::move(endpoint));
  }
  return set;
}

EndpointSet EqualSet(int count) {
  std::vector<std::pair<int, uint32_t>> hosts;
  for (int i = 0; i < count; ++i) hosts.emplace_back(i, 1);
  return MakeSet(hosts);
}

// A balancer with its random numbers, as a worker has them.
struct Fixture {
  Fixture(BalancePolicy policy, uint64_t seed)
      : random(seed), balancer(NewBalancer(policy, random)) {}

  size_t Pick(size_t tried = kNone) { return balancer->Pick({random, tried}); }
  std::vector<size_t> PickMany(size_t count, size_t tried = kNone) {
    std::vector<size_t> picks;
    for (size_t i = 0; i < count; ++i) picks.push_back(Pick(tried));
    return picks;
  }

  Random random;
  std::unique_ptr<Balancer> balancer;
};

std::vector<size_t> CountOf(const std::vector<size_t>& picks, size_t endpoints) {
  std::vector<size_t> counts(endpoints);
  for (const size_t pick : picks) ++counts.at(pick);
  return counts;
}

// `picks` begun at each of its places in turn: is `cycle` one of them?
bool IsRotation(const std::vector<size_t>& picks, std::vector<size_t> cycle) {
  for (size_t i = 0; i < cycle.size(); ++i) {
    if (picks == cycle) return true;
    std::rotate(cycle.begin(), cycle.begin() + 1, cycle.end());
  }
  return false;
}

class EveryBalancer : public testing::TestWithParam<BalancePolicy> {};

TEST_P(EveryBalancer, AnEmptySetHasNoEndpoint) {
  Fixture worker(GetParam(), 1);
  EXPECT_EQ(worker.Pick(), kNone);
  const EndpointSet some = EqualSet(2);
  worker.balancer->Update(some);
  EXPECT_NE(worker.Pick(), kNone);
  const EndpointSet empty;
  worker.balancer->Update(empty);
  EXPECT_EQ(worker.Pick(), kNone);
  EXPECT_EQ(worker.Pick(0), kNone);
  worker.balancer->Update(some);
  EXPECT_LT(worker.Pick(), 2u);
}

TEST_P(EveryBalancer, TheOnlyEndpointIsTakenAgain) {
  Fixture worker(GetParam(), 2);
  const EndpointSet set = MakeSet({{1, 7}});
  worker.balancer->Update(set);
  EXPECT_EQ(worker.Pick(), 0u);
  EXPECT_EQ(worker.Pick(0), 0u);
}

TEST_P(EveryBalancer, WhatWasTriedIsAvoided) {
  for (const EndpointSet& set : {EqualSet(2), EqualSet(5), MakeSet({{1, 1}, {2, 1000}}),
                                 MakeSet({{1, 5}, {2, 1}, {3, 3}})}) {
    Fixture worker(GetParam(), 3);
    worker.balancer->Update(set);
    for (size_t tried = 0; tried < set.endpoints.size(); ++tried) {
      for (const size_t pick : worker.PickMany(500, tried)) {
        ASSERT_LT(pick, set.endpoints.size());
        ASSERT_NE(pick, tried);
      }
    }
  }
}

TEST_P(EveryBalancer, ATriedIndexBeyondTheSetIsNobody) {
  Fixture worker(GetParam(), 4);
  const EndpointSet set = MakeSet({{1, 2}, {2, 1}});
  worker.balancer->Update(set);
  const std::vector<size_t> counts = CountOf(worker.PickMany(300, 7), 2);
  EXPECT_GT(counts[0], 0u);
  EXPECT_GT(counts[1], 0u);
}

// Each endpoint's share, with seeds that are fixed: within 2% of its weight's.
TEST_P(EveryBalancer, SharesFollowTheWeights) {
  const std::vector<std::vector<std::pair<int, uint32_t>>> sets = {
      {{0, 1}, {1, 1}, {2, 1}},
      {{0, 5}, {1, 3}, {2, 2}},
      {{0, 100}, {1, 1}, {2, 50}, {3, 49}},
      {{0, 65535}, {1, 32768}},
      {{0, 10}, {1, 20}, {2, 30}, {3, 40}, {4, 50}, {5, 60}, {6, 70}},
  };
  for (uint64_t seed = 0; seed < 3; ++seed) {
    for (const auto& hosts : sets) {
      Fixture worker(GetParam(), seed);
      const EndpointSet set = MakeSet(hosts);
      worker.balancer->Update(set);
      constexpr size_t kPicks = 200'000;
      const std::vector<size_t> counts = CountOf(worker.PickMany(kPicks), hosts.size());
      for (size_t i = 0; i < hosts.size(); ++i) {
        const double share = static_cast<double>(counts[i]) / kPicks;
        const double due =
            static_cast<double>(hosts[i].second) / static_cast<double>(set.total_weight);
        EXPECT_NEAR(share, due, 0.02 * due + 0.0005) << "endpoint " << i << ", seed " << seed;
      }
    }
  }
}

TEST_P(EveryBalancer, TheOthersShareByWeightWhatTheTriedOneDoesNotTake) {
  Fixture worker(GetParam(), 5);
  const EndpointSet set = MakeSet({{0, 6}, {1, 50}, {2, 3}, {3, 1}});
  worker.balancer->Update(set);
  constexpr size_t kPicks = 100'000;
  const std::vector<size_t> counts = CountOf(worker.PickMany(kPicks, 1), 4);
  EXPECT_NEAR(static_cast<double>(counts[0]) / kPicks, 0.6, 0.012);
  EXPECT_EQ(counts[1], 0u);
  EXPECT_NEAR(static_cast<double>(counts[2]) / kPicks, 0.3, 0.006);
  EXPECT_NEAR(static_cast<double>(counts[3]) / kPicks, 0.1, 0.003);
}

TEST_P(EveryBalancer, GoesOnWhenTheSetShrinksAndGrows) {
  Fixture worker(GetParam(), 6);
  for (const int size : {5, 1, 0, 40, 3, 400, 2}) {
    for (const uint32_t heavy : {1u, 9u}) {
      EndpointSet set = EqualSet(size);
      if (size > 0) set.endpoints.back().weight = heavy;
      worker.balancer->Update(set);
      if (size == 0) {
        EXPECT_EQ(worker.Pick(), kNone);
        continue;
      }
      const size_t endpoints = set.endpoints.size();
      for (const size_t count : CountOf(worker.PickMany(endpoints * 60), endpoints)) {
        EXPECT_GT(count, 0u);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, EveryBalancer,
                         testing::Values(BalancePolicy::kRoundRobin, BalancePolicy::kRandom),
                         [](const auto& tested) {
                           return tested.param == BalancePolicy::kRandom ? "Random" : "RoundRobin";
                         });

TEST(RoundRobin, TakesEqualEndpointsInTurn) {
  Fixture worker(BalancePolicy::kRoundRobin, 7);
  const EndpointSet set = MakeSet({{0, 4}, {1, 4}, {2, 4}});
  worker.balancer->Update(set);
  const std::vector<size_t> picks = worker.PickMany(6);
  EXPECT_TRUE(IsRotation(picks, {0, 1, 2, 0, 1, 2})) << testing::PrintToString(picks);
}

// The example of nginx 1.3.1, which brought the algorithm: {5, 1, 1} gives a, a, b, a, c, a, a.
TEST(RoundRobin, SpreadsWeightsSmoothly) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Fixture worker(BalancePolicy::kRoundRobin, seed);
    const EndpointSet set = MakeSet({{0, 50}, {1, 10}, {2, 10}});
    worker.balancer->Update(set);
    const std::vector<size_t> picks = worker.PickMany(7);
    EXPECT_TRUE(IsRotation(picks, {0, 0, 1, 0, 2, 0, 0})) << testing::PrintToString(picks);
  }
}

TEST(RoundRobin, EachCycleGivesExactlyTheWeights) {
  Fixture worker(BalancePolicy::kRoundRobin, 8);
  const EndpointSet set = MakeSet({{0, 13}, {1, 7}, {2, 1}, {3, 4}});
  worker.balancer->Update(set);
  for (int cycle = 0; cycle < 5; ++cycle) {
    EXPECT_EQ(CountOf(worker.PickMany(25), 4), (std::vector<size_t>{13, 7, 1, 4}));
  }
}

TEST(RoundRobin, WorkersBeginAtDifferentPlaces) {
  for (const EndpointSet& set :
       {EqualSet(16), MakeSet({{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 6}, {6, 7}})}) {
    std::vector<size_t> first(set.endpoints.size());
    for (uint64_t seed = 0; seed < 320; ++seed) {
      Fixture worker(BalancePolicy::kRoundRobin, seed);
      worker.balancer->Update(set);
      ++first.at(worker.Pick());
    }
    // Begun at one place, 320 workers would all send their first request to the same endpoint.
    EXPECT_LT(*std::max_element(first.begin(), first.end()), 120u);
    EXPECT_GT(*std::min_element(first.begin(), first.end()), 0u);
  }
}

TEST(RoundRobin, ATriedEndpointIsPassedOverWithoutStoppingTheTurn) {
  Fixture worker(BalancePolicy::kRoundRobin, 9);
  const EndpointSet set = EqualSet(4);
  worker.balancer->Update(set);
  while (worker.Pick() != 3) {
  }
  EXPECT_EQ(worker.Pick(0), 1u);
  EXPECT_EQ(worker.Pick(0), 2u);
  EXPECT_EQ(worker.Pick(), 3u);
  EXPECT_EQ(worker.Pick(), 0u);
}

TEST(RoundRobin, TheTurnStaysWithItsEndpointWhenOthersLeaveOrCome) {
  Fixture worker(BalancePolicy::kRoundRobin, 10);
  const EndpointSet five = EqualSet(5);
  worker.balancer->Update(five);
  while (worker.Pick() != 2) {
  }
  // Host 3 is next. Host 1 leaves before it: 3 is index 2 now.
  const EndpointSet without_1 = MakeSet({{0, 1}, {2, 1}, {3, 1}, {4, 1}});
  worker.balancer->Update(without_1);
  EXPECT_EQ(worker.Pick(), 2u);
  // Host 4 is next, and leaves: 0 follows.
  const EndpointSet without_4 = MakeSet({{0, 1}, {2, 1}, {3, 1}});
  worker.balancer->Update(without_4);
  EXPECT_EQ(worker.Pick(), 0u);
  // Host 2 is next; newcomers stand before it.
  const EndpointSet more = MakeSet({{7, 1}, {0, 1}, {8, 1}, {2, 1}, {3, 1}});
  worker.balancer->Update(more);
  EXPECT_EQ(worker.PickMany(3), (std::vector<size_t>{3, 4, 0}));
}

TEST(RoundRobin, AnUnchangedSetDoesNotMoveTheWeightedTurn) {
  Fixture moved(BalancePolicy::kRoundRobin, 11);
  Fixture left_alone(BalancePolicy::kRoundRobin, 11);
  const EndpointSet set = MakeSet({{0, 5}, {1, 2}, {2, 4}});
  moved.balancer->Update(set);
  left_alone.balancer->Update(set);
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(moved.Pick(), left_alone.Pick()) << i;
    const EndpointSet again = set;
    moved.balancer->Update(again);
  }
}

TEST(RoundRobin, AWeightedNewcomerIsNeitherFloodedNorStarved) {
  Fixture worker(BalancePolicy::kRoundRobin, 12);
  const EndpointSet heavy = MakeSet({{0, 40000}, {1, 20001}});
  worker.balancer->Update(heavy);
  worker.PickMany(12345);
  const EndpointSet light = MakeSet({{0, 1}, {1, 2}, {2, 3}});
  worker.balancer->Update(light);
  // A hundred cycles: each gets its share, give or take one cycle's.
  const std::vector<size_t> counts = CountOf(worker.PickMany(600), 3);
  EXPECT_NEAR(static_cast<double>(counts[0]), 100, 6);
  EXPECT_NEAR(static_cast<double>(counts[1]), 200, 6);
  EXPECT_NEAR(static_cast<double>(counts[2]), 300, 6);
}

TEST(RandomBalancer, FollowsItsSeed) {
  const EndpointSet set = MakeSet({{0, 3}, {1, 1}, {2, 2}});
  Fixture a(BalancePolicy::kRandom, 13);
  Fixture b(BalancePolicy::kRandom, 13);
  Fixture c(BalancePolicy::kRandom, 14);
  for (Fixture* worker : {&a, &b, &c}) worker->balancer->Update(set);
  const std::vector<size_t> picks = a.PickMany(100);
  EXPECT_EQ(picks, b.PickMany(100));
  EXPECT_NE(picks, c.PickMany(100));
}

}  // namespace
}  // namespace sluice
