#include <xxhash.h>

#include <algorithm>

#include "core/upstream/balance/hash_table.h"

namespace sluice {
namespace {

// A member's order of preference: place, place + skip, ...: as the size is a prime, each place
// once.
struct Filler {
  uint64_t place;
  uint64_t skip;
  double weight;  // of the heaviest: 1
  double due;     // how many places it should have by now
};

}  // namespace

std::unique_ptr<const HashTable> HashTable::Maglev(const std::vector<HashMember>& members) {
  auto table = std::make_unique<HashTable>();
  const size_t count = std::min(members.size(), kMostMembers);
  if (count == 0) return table;
  uint32_t most = 0;
  for (size_t i = 0; i < count; ++i) most = std::max(most, members[i].weight);
  std::vector<Filler> fillers;
  fillers.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const std::string_view key = members[i].key;
    fillers.push_back({XXH64(key.data(), key.size(), 0) % kMaglevSize,
                       XXH64(key.data(), key.size(), 1) % (kMaglevSize - 1) + 1,
                       static_cast<double>(members[i].weight) / most, 0});
    fillers.back().due = 1 - fillers.back().weight;  // in the first turn everybody has one
  }

  constexpr uint16_t kFree = UINT16_MAX;
  std::vector<uint16_t>& owners = table->owners_;
  owners.assign(kMaglevSize, kFree);
  for (size_t filled = 0; filled < kMaglevSize;) {
    for (size_t i = 0; i < count && filled < kMaglevSize; ++i) {
      Filler& filler = fillers[i];
      // A lighter member sits out the turns in which nothing is due to it.
      filler.due += filler.weight;
      if (filler.due < 1) continue;
      filler.due -= 1;
      while (owners[filler.place] != kFree) {
        filler.place = (filler.place + filler.skip) % kMaglevSize;
      }
      owners[filler.place] = static_cast<uint16_t>(i);
      ++filled;
    }
  }
  return table;
}

}  // namespace sluice
