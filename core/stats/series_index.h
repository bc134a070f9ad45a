// StatsSeriesIndex: from the hash of a series' name to its place in the directory: a flat table
// with open addressing (linear probing), since a process has one entry for each of 100,000 series.
// Several may have the same hash, and one may be there twice: who asks compares. Of one thread.
#ifndef SLUICE_CORE_STATS_SERIES_INDEX_H_
#define SLUICE_CORE_STATS_SERIES_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace sluice {

class StatsSeriesIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // REQUIRES: index < kNone - 1.
  void Add(uint64_t hash, uint32_t index) {
    if ((count_ + 1) * 4 > slots_.size() * 3) Grow();
    Put({TagOf(hash), index + 1});
    ++count_;
  }
  void Clear() {
    slots_.clear();
    count_ = 0;
  }
  // The first of that hash for which is_it(index) is true; kNone: there is none.
  template <typename IsIt>
  uint32_t Find(uint64_t hash, IsIt is_it) const {
    if (slots_.empty()) return kNone;
    const uint32_t tag = TagOf(hash);
    for (size_t at = tag & (slots_.size() - 1); slots_[at].place != 0;
         at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].tag == tag && is_it(slots_[at].place - 1)) return slots_[at].place - 1;
    }
    return kNone;
  }

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t place = 0;  // the index and 1; 0: free
  };

  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash ^ hash >> 32); }
  void Put(Slot slot) {
    size_t at = slot.tag & (slots_.size() - 1);
    while (slots_[at].place != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
  void Grow() {
    std::vector<Slot> before(slots_.empty() ? 64 : slots_.size() * 2);
    std::swap(before, slots_);
    for (const Slot& slot : before) {
      if (slot.place != 0) Put(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two of them
  size_t count_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_SERIES_INDEX_H_
