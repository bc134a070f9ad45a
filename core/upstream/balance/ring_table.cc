#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "core/upstream/balance/hash_table.h"

namespace sluice {

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
  // Points for each unit of weight.
  double per_unit = static_cast<double>(kRingPoints) / static_cast<double>(least);
  per_unit = std::min(per_unit, static_cast<double>(kMostPoints) / static_cast<double>(sum));

  std::vector<std::pair<uint64_t, uint16_t>> points;
  for (size_t i = 0; i < count; ++i) {
    const auto own = static_cast<uint64_t>(static_cast<double>(members[i].weight) * per_unit);
    // A member's n-th point is the same whatever its weight: a change adds or takes some.
    for (uint64_t n = 0; n < std::max<uint64_t>(own, 1); ++n) {
      points.emplace_back(XXH64(members[i].key.data(), members[i].key.size(), n),
                          static_cast<uint16_t>(i));
    }
  }
  std::sort(points.begin(), points.end());
  table->points_.reserve(points.size());
  table->owners_.reserve(points.size());
  for (const auto& [point, owner] : points) {
    table->points_.push_back(point);
    table->owners_.push_back(owner);
  }
  return table;
}

size_t HashTable::PlaceOf(uint64_t hash) const {
  if (points_.empty()) return hash % owners_.size();
  const auto next = std::lower_bound(points_.begin(), points_.end(), hash);
  return next == points_.end() ? 0 : static_cast<size_t>(next - points_.begin());
}

}  // namespace sluice
