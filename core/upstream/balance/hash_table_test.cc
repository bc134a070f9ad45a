#include "core/upstream/balance/hash_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/upstream/balance/test_group.h"

namespace sluice {
namespace {

struct Members {
  explicit Members(size_t count) {
    for (size_t i = 0; i < count; ++i) Add(i, 1);
  }
  void Add(size_t host, uint32_t weight) {
    keys.push_back(std::make_unique<std::string>("10.0.0." + std::to_string(host) + ":80"));
    list.push_back({*keys.back(), weight});
  }
  void Remove(size_t place) {
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(place));
    keys.erase(keys.begin() + static_cast<std::ptrdiff_t>(place));
  }

  std::vector<std::unique_ptr<std::string>> keys;
  std::vector<HashMember> list;
};

struct Kind {
  const char* name;
  std::unique_ptr<const HashTable> (*build)(const std::vector<HashMember>&);
  // Of the keys that need not move, how many may, as a part of 1/N.
  double extra;
};

class EveryTable : public testing::TestWithParam<Kind> {
 protected:
  // How many of many keys belong to another member, by name, than before.
  double Moved(const Members& before, const Members& after) const {
    const auto old_table = GetParam().build(before.list);
    const auto new_table = GetParam().build(after.list);
    Random random(1);
    constexpr int kKeys = 100'000;
    int moved = 0;
    for (int i = 0; i < kKeys; ++i) {
      const uint64_t key = random.Next();
      const size_t old_place = old_table->MemberAt(old_table->PlaceOf(key));
      const size_t new_place = new_table->MemberAt(new_table->PlaceOf(key));
      if (before.list[old_place].key != after.list[new_place].key) ++moved;
    }
    return static_cast<double>(moved) / kKeys;
  }
};

TEST_P(EveryTable, IsTheSameEachTime) {
  const Members members(7);
  const auto a = GetParam().build(members.list);
  const auto b = GetParam().build(members.list);
  Random random(2);
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t key = random.Next();
    ASSERT_EQ(a->MemberAt(a->PlaceOf(key)), b->MemberAt(b->PlaceOf(key)));
  }
}

// One of N leaves or comes: 1/N of the keys must move, at most 1.3/N do.
TEST_P(EveryTable, AChangeMovesFewKeys) {
  for (const size_t count : {2u, 3u, 5u, 10u, 25u, 50u, 100u, 200u}) {
    const Members before(count);
    Members without = Members(count);
    without.Remove(count / 2);
    Members with = Members(count);
    with.Add(250, 1);
    const double due = 1.0 / static_cast<double>(count);
    EXPECT_LE(Moved(before, without), 1.3 * due + GetParam().extra) << count;
    EXPECT_LE(Moved(before, with), 1.3 * due + GetParam().extra) << count;
    EXPECT_GE(Moved(before, without), 0.7 * due) << count;
  }
}

TEST_P(EveryTable, AChangedWeightMovesOnlyWhatItMust) {
  Members before(10);
  Members after(10);
  after.list[3].weight = 2;
  // From 1/10 to 2/11.
  EXPECT_NEAR(Moved(before, after), 2.0 / 11 - 0.1, 0.02 + GetParam().extra);
}

TEST_P(EveryTable, EveryPlaceLeadsToTheNextAndAroundAgain) {
  const Members members(3);
  const auto table = GetParam().build(members.list);
  std::vector<size_t> seen(3);
  size_t place = table->PlaceOf(UINT64_MAX);
  for (size_t i = 0; i < table->size(); ++i, place = table->Next(place)) {
    ++seen.at(table->MemberAt(place));
  }
  EXPECT_EQ(place, table->PlaceOf(UINT64_MAX));
  EXPECT_EQ(seen[0] + seen[1] + seen[2], table->size());
}

TEST_P(EveryTable, TheLightestHasAPlaceToo) {
  Members members(1);
  members.Add(1, 65535);
  members.Add(2, 30000);
  const auto table = GetParam().build(members.list);
  bool found = false;
  for (size_t i = 0; i < table->size(); ++i) found |= table->MemberAt(i) == 0;
  EXPECT_TRUE(found);
}

// What maglev moves beyond what it must is some part of the table, whatever N: the paper's figure.
INSTANTIATE_TEST_SUITE_P(Kinds, EveryTable,
                         testing::Values(Kind{"Ring", HashTable::Ring, 0},
                                         Kind{"Maglev", HashTable::Maglev, 0.02}),
                         [](const auto& tested) { return tested.param.name; });

TEST(MaglevTable, SharesAreExact) {
  const Members equal(200);
  std::vector<size_t> places(200);
  const auto table = HashTable::Maglev(equal.list);
  ASSERT_EQ(table->size(), HashTable::kMaglevSize);
  for (size_t i = 0; i < table->size(); ++i) ++places.at(table->MemberAt(i));
  for (const size_t each : places) EXPECT_NEAR(static_cast<double>(each), 65537 / 200.0, 1);

  Members weighted(0);
  for (const uint32_t weight : {1u, 2u, 3u, 14u}) weighted.Add(weight, weight);
  places.assign(4, 0);
  const auto heavy = HashTable::Maglev(weighted.list);
  for (size_t i = 0; i < heavy->size(); ++i) ++places.at(heavy->MemberAt(i));
  for (size_t i = 0; i < 4; ++i) {
    const double due = 65537 * weighted.list[i].weight / 20.0;
    EXPECT_NEAR(static_cast<double>(places[i]), due, 0.01 * due) << i;
  }
}

// Keys and places are those of other processes and releases: sessions depend on them.
TEST(HashTable, IsWhatItAlwaysWas) {
  const Members members(5);
  const auto ring = HashTable::Ring(members.list);
  const auto maglev = HashTable::Maglev(members.list);
  std::string ring_owners;
  std::string maglev_owners;
  Random random(3);
  for (int i = 0; i < 16; ++i) {
    const uint64_t key = random.Next();
    ring_owners += static_cast<char>('0' + ring->MemberAt(ring->PlaceOf(key)));
    maglev_owners += static_cast<char>('0' + maglev->MemberAt(maglev->PlaceOf(key)));
  }
  EXPECT_EQ(ring_owners, "3224340021133424");
  EXPECT_EQ(maglev_owners, "3334232343442241");
}

class HashBalancerTest : public testing::TestWithParam<BalancePolicy> {};

TEST_P(HashBalancerTest, AKeyStaysWithItsEndpoint) {
  TestBalancer worker(GetParam(), 1);
  TestBalancer other(GetParam(), 2);
  const TestGroup group = TestGroup::Equal(10, GetParam());
  worker.Update(group);
  other.Update(group);
  std::vector<bool> used(10);
  for (uint64_t key = 0; key < 300; ++key) {
    const uint64_t hash = key * 0x9e3779b97f4a7c15;
    const size_t first = worker.PickKey(hash);
    used[first] = true;
    EXPECT_EQ(worker.PickKey(hash), first);
    EXPECT_EQ(other.PickKey(hash), first) << "of any worker";
  }
  EXPECT_EQ(std::count(used.begin(), used.end(), false), 0);
}

// One key takes all requests: its endpoint has no more than its bound, the next ones the rest.
TEST_P(HashBalancerTest, BoundedLoadSpreadsAHotKey) {
  TestBalancer worker(GetParam(), 3);
  TestGroup group = TestGroup::Equal(10, GetParam());
  worker.Update(group);
  const size_t own = worker.PickKey(42);
  for (uint64_t active = 1; active <= 1000; ++active) {
    const size_t chosen = worker.PickKey(42);
    group.active(chosen).fetch_add(1);
    ASSERT_LE(static_cast<double>(group.active(chosen)),
              std::ceil(1.5 * static_cast<double>(active) / 10));
  }
  EXPECT_EQ(group.active(own), 150u);
  // It is its own again as soon as there is room.
  for (size_t i = 0; i < 10; ++i) group.active(i).store(0);
  EXPECT_EQ(worker.PickKey(42), own);
}

TEST_P(HashBalancerTest, WithoutABoundTheKeyIsAllThatCounts) {
  BalanceSettings settings = TestBalancer::SettingsOf(GetParam());
  settings.bounded_load = 0;
  EXPECT_FALSE(settings.feedback().active);
  TestBalancer worker(settings, 4);
  TestGroup group = TestGroup::Equal(10, GetParam());
  worker.Update(group);
  const size_t own = worker.PickKey(42);
  group.active(own).store(1'000'000);
  EXPECT_EQ(worker.PickKey(42), own);
}

// The endpoint of a key failed: its next choice is the same for every try and worker.
TEST_P(HashBalancerTest, AKeysSecondChoiceIsStable) {
  TestBalancer worker(GetParam(), 5);
  TestBalancer other(GetParam(), 6);
  const TestGroup group = TestGroup::Equal(10, GetParam());
  worker.Update(group);
  other.Update(group);
  const TriedEndpoints tried = Tried(group, {worker.PickKey(7)});
  const PickContext first{worker.random, worker.now, &tried, 7};
  const PickContext second{other.random, other.now, &tried, 7};
  EXPECT_EQ(worker.balancer->Pick(first), other.balancer->Pick(second));
  EXPECT_NE(worker.balancer->Pick(first), worker.PickKey(7));
}

INSTANTIATE_TEST_SUITE_P(Policies, HashBalancerTest,
                         testing::Values(BalancePolicy::kRingHash, BalancePolicy::kMaglev),
                         [](const auto& tested) {
                           return tested.param == BalancePolicy::kMaglev ? "Maglev" : "RingHash";
                         });

}  // namespace
}  // namespace sluice
