#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/upstream/balance/hash_table.h"

namespace sluice {
namespace {

// From so many places on the ring the nearest point is looked for.
constexpr uint64_t kProbes = 16;
// So many points are looked at for each, at least.
constexpr size_t kAhead = 3;

// The n-th of a key's places: SplitMix64 (Steele et al., 2014).
uint64_t ProbeOf(uint64_t hash, uint64_t n) {
  uint64_t mixed = hash + n * 0x9e3779b97f4a7c15;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
  return mixed ^ mixed >> 31;
}

}  // namespace

// Points are even all over the ring: sorting them is putting them into somewhat more sections than
// there are points, which PlaceOf looks them up by, too.
std::unique_ptr<const HashTable> HashTable::Ring(const std::vector<HashMember>& members) {
  auto table = std::make_unique<HashTable>();
  const size_t count = std::min(members.size(), kMostMembers);
  if (count == 0) return table;
  uint64_t least = UINT32_MAX;
  uint64_t sum = 0;
  for (size_t i = 0; i < count; ++i) {
    least = std::min<uint64_t>(least, members[i].weight);
    sum += members[i].weight;
  }
  // Points for each unit of weight. Halved until there is room for all: if it followed the sum,
  // each change of one member would move keys of all the others.
  double per_unit = static_cast<double>(kRingPoints) / static_cast<double>(least);
  while (per_unit * static_cast<double>(sum) > static_cast<double>(kMostPoints)) per_unit /= 2;

  std::vector<std::pair<uint64_t, uint16_t>> points;
  points.reserve(static_cast<size_t>(per_unit * static_cast<double>(sum)) + count);
  for (size_t i = 0; i < count; ++i) {
    const auto own = std::llround(static_cast<double>(members[i].weight) * per_unit);
    // A member's n-th point is the same whatever its weight: a change adds or takes some.
    for (uint64_t n = 0; n < static_cast<uint64_t>(std::max(own, 1LL)); ++n) {
      points.emplace_back(XXH64(members[i].key.data(), members[i].key.size(), n),
                          static_cast<uint16_t>(i));
    }
  }

  const int bits = static_cast<int>(std::bit_width(points.size()));
  table->section_shift_ = 64 - bits;
  const auto section_of = [&](uint64_t point) { return point >> table->section_shift_; };
  std::vector<uint32_t>& sections = table->sections_;
  sections.assign((size_t{1} << bits) + 1, 0);
  for (const auto& [point, owner] : points) ++sections[section_of(point) + 1];
  for (size_t i = 1; i < sections.size(); ++i) sections[i] += sections[i - 1];
  std::vector<std::pair<uint64_t, uint16_t>> sorted(points.size());
  std::vector<uint32_t> next(sections.begin(), sections.end() - 1);
  for (const auto& point : points) sorted[next[section_of(point.first)]++] = point;
  table->points_.reserve(points.size() + kAhead);
  table->owners_.reserve(points.size());
  for (size_t i = 0; i + 1 < sections.size(); ++i) {
    std::sort(sorted.begin() + sections[i], sorted.begin() + sections[i + 1]);
    for (uint32_t place = sections[i]; place < sections[i + 1]; ++place) {
      table->points_.push_back(sorted[place].first);
      table->owners_.push_back(sorted[place].second);
    }
  }
  for (size_t i = 0; i < kAhead; ++i) table->points_.push_back(table->points_[i % points.size()]);
  return table;
}

size_t HashTable::PlaceOf(uint64_t hash) const {
  if (points_.empty()) return hash % owners_.size();
  size_t nearest = 0;
  uint64_t least = UINT64_MAX;
  for (uint64_t n = 0; n < kProbes; ++n) {
    const uint64_t probe = ProbeOf(hash, n);
    const size_t section = probe >> section_shift_;
    const size_t first = sections_[section];
    // From the first point of the section on to the first behind it; nearly always they are among
    // these, and a count that is always the same is what the processor foresees. One that lies
    // before the place is far away, around the ring.
    const size_t end = std::max<size_t>(first + kAhead, sections_[section + 1] + 1);
    for (size_t place = first; place < end; ++place) {
      const uint64_t distance = points_[place] - probe;
      const bool nearer = distance < least;
      nearest = nearer ? place : nearest;
      least = nearer ? distance : least;
    }
  }
  return nearest < owners_.size() ? nearest : nearest - owners_.size();
}

}  // namespace sluice
