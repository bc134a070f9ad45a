#include "core/stats/series_index.h"

#include <gtest/gtest.h>

#include <unordered_map>

#include "core/base/random.h"

namespace sluice {
namespace {

uint32_t FindAny(const StatsSeriesIndex& index, uint64_t hash) {
  return index.Find(hash, [](uint32_t) { return true; });
}

TEST(StatsSeriesIndex, FindsWhatWasAdded) {
  StatsSeriesIndex index;
  EXPECT_EQ(FindAny(index, 1), StatsSeriesIndex::kNone);
  Random random(1);
  std::unordered_map<uint32_t, uint64_t> hashes;
  for (uint32_t i = 0; i < 100'000; ++i) {
    hashes[i] = random.Next();
    index.Add(hashes[i], i);
  }
  for (const auto& [place, hash] : hashes) {
    ASSERT_EQ(index.Find(hash, [place = place](uint32_t found) { return found == place; }), place);
  }
  index.Clear();
  EXPECT_EQ(FindAny(index, hashes[0]), StatsSeriesIndex::kNone);
}

TEST(StatsSeriesIndex, OfTheSameHashWhoAsksSaysWhich) {
  StatsSeriesIndex index;
  for (uint32_t i = 0; i < 10; ++i) index.Add(7, i);
  for (uint32_t i = 0; i < 10; ++i) {
    EXPECT_EQ(index.Find(7, [i](uint32_t found) { return found == i; }), i);
  }
  EXPECT_EQ(index.Find(7, [](uint32_t) { return false; }), StatsSeriesIndex::kNone);
  EXPECT_EQ(FindAny(index, 8), StatsSeriesIndex::kNone);
}

}  // namespace
}  // namespace sluice
