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
  // Of each member; half as many, and so on, where all together would have more than kMostPoints,
  // unless each has just one: a table is built in a few milliseconds.
  static constexpr size_t kRingPoints = 1024;
  static constexpr size_t kMostPoints = size_t{1} << 18;

  // Consistent hashing after Ketama: each member has points on a ring, by XXH64. A hash begins at
  // 16 places of the ring and belongs to the point that comes soonest after one of them
  // (multi-probe consistent hashing, Appleton and O'Reilly, 2015), since points that are few are
  // far from even: a member's share is its weight's with a deviation of 1/sqrt(31 x points), 0.6%
  // with 1,024 of them; one place alone would make it 3%. How soon a point comes is measured in its
  // member's weight: a distance is divided by that, so the soonest of all is the member's as often
  // as is due to it (as in weighted rendezvous hashing, Schindelhauer and Schomaker, 2005), and
  // nothing of a member depends on the others. A change of one member moves no key between others,
  // while all have as many points as before: up to kMostPoints / kRingPoints members.
  static std::unique_ptr<const HashTable> Ring(const std::vector<HashMember>& members);
  // Maglev (Eisenbud et al., NSDI 2016, 3.4): a table that the members fill in turns, each in its
  // own order. Shares are exact to one place; a change moves a few more keys than it must.
  static std::unique_ptr<const HashTable> Maglev(const std::vector<HashMember>& members);

  bool empty() const { return owners_.empty(); }
  size_t size() const { return owners_.size(); }
  // REQUIRES: not empty.
  size_t PlaceOf(uint64_t hash) const;
  // Comes to members as often as their weights say.
  size_t Next(size_t place) const {
    do {
      place = place + 1 == owners_.size() ? 0 : place + 1;
    } while (!passed_.empty() && passed_[place]);
    return place;
  }
  size_t MemberAt(size_t place) const { return owners_[place]; }

 private:
  size_t WeightedPlaceOf(uint64_t hash) const;

  // Of a ring: sorted points, [i] is owners_[i]'s, and the first ones again; by a point's first
  // bits the place of the first point that has these bits or greater ones.
  std::vector<uint64_t> points_;
  std::vector<uint32_t> sections_;
  int section_shift_ = 0;
  std::vector<uint16_t> owners_;
  // Of a ring whose members' weights differ, or else empty: 1 / weight by member, and by place
  // which of the points are only for keys that begin there: all but a part that follows the weight.
  std::vector<double> lightness_;
  std::vector<bool> passed_;
  double least_lightness_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_HASH_TABLE_H_
