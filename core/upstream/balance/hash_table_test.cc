#include "core/upstream/balance/hash_table.h"

#include <gtest/gtest.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
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

// How many times as many keys as are due to each member belong to it: from the ring's points alone,
// which are where Ketama has them, and with so many places that a key begins at.
std::vector<double> RingShares(const Members& members, const HashTable& table,
                               double points_a_unit) {
  constexpr int kProbes = 16;
  struct Point {
    uint64_t at;
    size_t owner;
  };
  std::vector<Point> points;
  double weights = 0;
  for (size_t i = 0; i < members.list.size(); ++i) {
    const HashMember& member = members.list[i];
    weights += member.weight;
    for (uint64_t n = 0; n < static_cast<uint64_t>(points_a_unit * member.weight); ++n) {
      points.push_back({XXH64(member.key.data(), member.key.size(), n), i});
    }
  }
  std::sort(points.begin(), points.end(), [](auto& a, auto& b) { return a.at < b.at; });
  EXPECT_EQ(points.size(), table.size());
  std::vector<std::pair<double, size_t>> gaps;  // before each point, of the ring; whose it is
  for (size_t i = 0; i < points.size(); ++i) {
    EXPECT_EQ(points[i].owner, table.MemberAt(i));
    const uint64_t before = points[i == 0 ? points.size() - 1 : i - 1].at;
    gaps.emplace_back(static_cast<double>(points[i].at - before) * 0x1p-64, points[i].owner);
  }
  // Of all keys those that have a place at a distance of x, and none that is nearer, are
  // k * (the share of the ring that is further than x from its point) ^ (k - 1) * dx for each gap
  // that is as long.
  std::sort(gaps.begin(), gaps.end());
  std::vector<double> shares(members.list.size());
  std::vector<double> open(members.list.size());  // gaps that are longer than x, by member
  for (const auto& [gap, owner] : gaps) open[owner] += 1;
  double further = 1;
  double x = 0;
  double all_open = static_cast<double>(gaps.size());
  for (const auto& [gap, owner] : gaps) {
    const double next = further - all_open * (gap - x);
    // The integral over x of that, from here to the end of this gap.
    const double part =
        (std::pow(std::max(further, 0.0), kProbes) - std::pow(std::max(next, 0.0), kProbes)) /
        all_open;
    for (size_t i = 0; i < shares.size(); ++i) shares[i] += part * open[i];
    if (further < 0.1) break;
    further = next;
    x = gap;
    open[owner] -= 1;
    all_open -= 1;
  }
  for (size_t i = 0; i < shares.size(); ++i) shares[i] *= weights / members.list[i].weight;
  return shares;
}

TEST(RingTable, SharesAreWithinTwoPercentOfTheWeights) {
  for (const size_t count : {2u, 3u, 5u, 10u, 25u, 50u, 100u, 200u}) {
    const Members members(count);
    const auto table = HashTable::Ring(members.list);
    for (const double share : RingShares(members, *table, HashTable::kRingPoints)) {
      EXPECT_NEAR(share, 1, 0.02) << count;
    }
  }
}

TEST(RingTable, SharesFollowWeightsThatDiffer) {
  Members weighted(0);
  for (const uint32_t weight : {1u, 2u, 3u, 14u}) weighted.Add(weight, weight);
  const auto table = HashTable::Ring(weighted.list);
  constexpr int kKeys = 2'000'000;
  std::vector<double> keys(4);
  Random random(6);
  for (int i = 0; i < kKeys; ++i) ++keys[table->MemberAt(table->PlaceOf(random.Next()))];
  std::vector<double> steps(4);
  size_t place = 0;
  for (int i = 0; i < 100'000; ++i) {
    place = table->Next(place);
    ++steps[table->MemberAt(place)];
  }
  for (size_t i = 0; i < 4; ++i) {
    const double due = weighted.list[i].weight / 20.0;
    EXPECT_NEAR(keys[i] / kKeys, due, 0.02 * due) << i;
    EXPECT_NEAR(steps[i] / 100'000, due, 0.02 * due) << "where keys go on to; " << i;
  }
}

// How many of many keys that need not move, since their members stay, do.
double MovedBetweenOthers(const Members& more, const Members& fewer) {
  const auto with = HashTable::Ring(more.list);
  const auto without = HashTable::Ring(fewer.list);
  Random random(7);
  constexpr int kKeys = 20'000;
  int moved = 0;
  for (int i = 0; i < kKeys; ++i) {
    const uint64_t key = random.Next();
    const std::string_view owner = more.list[with->MemberAt(with->PlaceOf(key))].key;
    const std::string_view other = fewer.list[without->MemberAt(without->PlaceOf(key))].key;
    const bool stays = std::any_of(fewer.list.begin(), fewer.list.end(),
                                   [&](const HashMember& member) { return member.key == owner; });
    if (stays && owner != other) ++moved;
  }
  return static_cast<double>(moved) / kKeys;
}

TEST(RingTable, WhoComesOrGoesMovesNoKeysBetweenOthersWhateverTheWeights) {
  Members light(0);
  for (const uint32_t weight : {1u, 10u, 10u}) light.Add(light.list.size(), weight);
  Members without_light(0);
  for (const size_t host : {1u, 2u}) without_light.Add(host, 10);
  EXPECT_EQ(MovedBetweenOthers(light, without_light), 0);

  // The 129th makes the sum of the weights 257.
  Members sum_256(0);
  Members sum_257(0);
  for (Members* members : {&sum_256, &sum_257}) {
    for (uint32_t i = 0; i < 128; ++i) members->Add(i, 2);
  }
  sum_257.Add(128, 1);
  EXPECT_EQ(MovedBetweenOthers(sum_257, sum_256), 0);

  // One that is far heavier than all others.
  Members heavy(200);
  heavy.Add(250, 65535);
  EXPECT_EQ(MovedBetweenOthers(heavy, Members(200)), 0);
}

// The shares above are those that keys really get.
TEST(RingTable, KeysBelongToTheNearestOfTheirPlaces) {
  const Members members(10);
  const auto table = HashTable::Ring(members.list);
  const std::vector<double> due = RingShares(members, *table, HashTable::kRingPoints);
  std::vector<double> counts(10);
  constexpr int kKeys = 2'000'000;
  Random random(4);
  for (int i = 0; i < kKeys; ++i) ++counts[table->MemberAt(table->PlaceOf(random.Next()))];
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_NEAR(counts[i] * 10 / kKeys, due[i], 4 * std::sqrt(9.0 / kKeys));
  }
}

// Whatever the weights are, a table is built at each change, on the main thread.
TEST(RingTable, HasNotTooManyPoints) {
  Members members(1);
  members.Add(1, 65535);
  EXPECT_EQ(HashTable::Ring(members.list)->size(), 2 * HashTable::kRingPoints);
  Members many(0);
  for (uint32_t i = 0; i < 1000; ++i) many.Add(i, 1 + i);
  const auto table = HashTable::Ring(many.list);
  EXPECT_LE(table->size(), HashTable::kMostPoints);
  EXPECT_GE(table->size(), HashTable::kMostPoints / 2);
  // One more or less moves no keys between the others here, either.
  Members fewer(0);
  for (uint32_t i = 0; i < 999; ++i) fewer.Add(i, 1 + i);
  const auto without = HashTable::Ring(fewer.list);
  Random random(5);
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t key = random.Next();
    const size_t owner = table->MemberAt(table->PlaceOf(key));
    if (owner == 999) continue;
    ASSERT_EQ(without->MemberAt(without->PlaceOf(key)), owner);
  }
}

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
  EXPECT_EQ(ring_owners, "2010141403312322");
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

// Its next place may be thousands away.
TEST_P(HashBalancerTest, TheLightestIsFoundWhereTheOthersWereTried) {
  TestBalancer worker(GetParam(), 7);
  const TestGroup group({{0, 1}, {1, 30'000}, {2, 30'000}}, GetParam());
  worker.Update(group);
  const TriedEndpoints tried = Tried(group, {1, 2});
  for (int i = 0; i < 100; ++i) ASSERT_EQ(worker.PickOther(tried), 0u);
}

INSTANTIATE_TEST_SUITE_P(Policies, HashBalancerTest,
                         testing::Values(BalancePolicy::kRingHash, BalancePolicy::kMaglev),
                         [](const auto& tested) {
                           return tested.param == BalancePolicy::kMaglev ? "Maglev" : "RingHash";
                         });

}  // namespace
}  // namespace sluice
