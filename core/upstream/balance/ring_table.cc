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
  // As many for each, whatever the weights are: who comes or goes changes nothing for the others.
  uint64_t each = kRingPoints;
  while (each > 1 && each * count > kMostPoints) each /= 2;
  struct Point {
    uint64_t at;
    uint16_t owner;
    bool passed;
  };
  const uint32_t heaviest =
      std::max_element(members.begin(), members.begin() + static_cast<std::ptrdiff_t>(count),
                       [](const auto& a, const auto& b) { return a.weight < b.weight; })
          ->weight;
  std::vector<Point> points;
  points.reserve(each * count);
  bool equal = true;
  for (size_t i = 0; i < count; ++i) {
    equal &= members[i].weight == heaviest;
    table->lightness_.push_back(1.0 / members[i].weight);
    const uint64_t own = std::max<uint64_t>(1, each * members[i].weight / heaviest);
    for (uint64_t n = 0; n < each; ++n) {
      points.push_back({XXH64(members[i].key.data(), members[i].key.size(), n),
                        static_cast<uint16_t>(i), n >= own});
    }
  }
  table->least_lightness_ = 1.0 / heaviest;
  if (equal) table->lightness_.clear();

  const int bits = static_cast<int>(std::bit_width(points.size()));
  table->section_shift_ = 64 - bits;
  const auto section_of = [&](uint64_t point) { return point >> table->section_shift_; };
  std::vector<uint32_t>& sections = table->sections_;
  sections.assign((size_t{1} << bits) + 1, 0);
  for (const Point& point : points) ++sections[section_of(point.at) + 1];
  for (size_t i = 1; i < sections.size(); ++i) sections[i] += sections[i - 1];
  std::vector<Point> sorted(points.size());
  std::vector<uint32_t> next(sections.begin(), sections.end() - 1);
  for (const Point& point : points) sorted[next[section_of(point.at)]++] = point;
  table->points_.reserve(points.size() + kAhead);
  table->owners_.reserve(points.size());
  if (!equal) table->passed_.reserve(points.size());
  for (size_t i = 0; i + 1 < sections.size(); ++i) {
    std::sort(sorted.begin() + sections[i], sorted.begin() + sections[i + 1],
              [](const Point& a, const Point& b) {
                return a.at != b.at ? a.at < b.at : a.owner < b.owner;
              });
    for (uint32_t place = sections[i]; place < sections[i + 1]; ++place) {
      table->points_.push_back(sorted[place].at);
      table->owners_.push_back(sorted[place].owner);
      if (!equal) table->passed_.push_back(sorted[place].passed);
    }
  }
  for (size_t i = 0; i < kAhead; ++i) table->points_.push_back(table->points_[i % points.size()]);
  return table;
}

size_t HashTable::PlaceOf(uint64_t hash) const {
  if (points_.empty()) return hash % owners_.size();
  if (!lightness_.empty()) return WeightedPlaceOf(hash);
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

// Of each place as many points are looked at as lie before the distance at which even the heaviest
// member's point would be too far away: a few, unless one is far heavier than the mean.
size_t HashTable::WeightedPlaceOf(uint64_t hash) const {
  size_t nearest = 0;
  double least = HUGE_VAL;
  for (uint64_t n = 0; n < kProbes; ++n) {
    const uint64_t probe = ProbeOf(hash, n);
    size_t place = sections_[probe >> section_shift_];
    while (place < owners_.size() && points_[place] < probe) ++place;
    for (size_t seen = 0; seen < owners_.size(); ++seen, ++place) {
      if (place == owners_.size()) place = 0;
      const auto distance = static_cast<double>(points_[place] - probe);
      if (distance * least_lightness_ >= least) break;
      const double weighted = distance * lightness_[owners_[place]];
      if (weighted >= least) continue;
      nearest = place;
      least = weighted;
    }
  }
  return nearest;
}

}  // namespace sluice
