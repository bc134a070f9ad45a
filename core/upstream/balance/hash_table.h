// HashTable: which member a hash belongs to, for ring_hash and maglev. Built on the main thread
// with the endpoint set and shared by all workers; immutable.
//
// A table has places; a hash has its own, and where that one's member cannot take the request, the
// next ones are its other choices, in the same order each time.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_HASH_TABLE_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_HASH_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace sluice {

// A member of the group: what it is known by, wherever it stands, and its weight.
struct HashMember {
  std::string_view key;
  uint32_t weight;
};

class HashTable {
 public:
  // Members beyond so many have no place.
  static constexpr size_t kMostMembers = 65535;
  static constexpr size_t kMaglevSize = 65537;  // a prime
  // Of a member with the least weight; others have more, in proportion, but all together not more
  // than kMostPoints, unless each has just one: a table is built in a few milliseconds.
  static constexpr size_t kRingPoints = 1024;
  static constexpr size_t kMostPoints = size_t{1} << 18;

  // Consistent hashing after Ketama: each member has points on a ring, by XXH64. A hash begins at
  // 16 places of the ring and belongs to the point that comes soonest after one of them
  // (multi-probe consistent hashing, Appleton and O'Reilly, 2015), since points that are few are
  // far from even: a member's share is its weight's with a deviation of 1/sqrt(31 x points), 0.6%
  // with 1,024 of them; one place alone would make it 3%. A change of one member moves no key
  // between others, while all have as many points as before.
  static std::unique_ptr<const HashTable> Ring(const std::vector<HashMember>& members);
  // Maglev (Eisenbud et al., NSDI 2016, 3.4): a table that the members fill in turns, each in its
  // own order. Shares are exact to one place; a change moves a few more keys than it must.
  static std::unique_ptr<const HashTable> Maglev(const std::vector<HashMember>& members);

  bool empty() const { return owners_.empty(); }
  size_t size() const { return owners_.size(); }
  // REQUIRES: not empty.
  size_t PlaceOf(uint64_t hash) const;
  size_t Next(size_t place) const { return place + 1 == owners_.size() ? 0 : place + 1; }
  size_t MemberAt(size_t place) const { return owners_[place]; }

 private:
  // Of a ring: sorted points, [i] is owners_[i]'s, and the first ones again; by a point's first
  // bits the place of the first point that has these bits or greater ones.
  std::vector<uint64_t> points_;
  std::vector<uint32_t> sections_;
  int section_shift_ = 0;
  std::vector<uint16_t> owners_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_HASH_TABLE_H_
