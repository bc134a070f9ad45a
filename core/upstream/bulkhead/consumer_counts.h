// ConsumerCounts: how many requests each consumer of a route has in flight, over all workers, in a
// fixed number of counters: who makes up new names takes no memory. A consumer counts in two of
// them, and has what the smaller one says at most (count-min, Cormode and Muthukrishnan 2005): one
// is refused below its own limit only where both are full of others'. What the hashes are mixed
// with is another in each process, so that nobody finds out whose counters he can fill.
//
// The counts are of this process' memory, as those of SharedGauge are: a process that is killed
// leaves nothing counted. A reload begins with new ones.
#ifndef SLUICE_CORE_UPSTREAM_BULKHEAD_CONSUMER_COUNTS_H_
#define SLUICE_CORE_UPSTREAM_BULKHEAD_CONSUMER_COUNTS_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/base/random.h"

namespace sluice {

class ConsumerCounts {
 public:
  static constexpr int kBits = 12;

  ConsumerCounts() : seed_(Random().Next()) {}

  // What stands for the consumer whose name has this hash, in what follows. Any thread, as all.
  uint64_t KeyOf(uint64_t hash) const {
    constexpr uint64_t kMix = 0x9e3779b97f4a7c15;  // Knuth's multiplicative hashing
    uint64_t mixed = (hash ^ seed_) * kMix;
    mixed = (mixed ^ mixed >> 32) * kMix;  // one round leaves neighbours at the same distance
    return mixed ^ mixed >> 32;
  }
  // How many it has; or more.
  uint64_t Get(uint64_t key) const { return std::min(First(key).load(), Second(key).load()); }
  // Adds one if the consumer has fewer than `limit`, and says whether it did. Two at a time may
  // both be refused where there is one place left.
  bool TryAdd(uint64_t key, uint64_t limit) {
    if (Get(key) >= limit) return false;
    First(key).fetch_add(1);
    Second(key).fetch_add(1);
    // Of two that come at a time the second to have added to both sees the other in both, in the
    // one order that all of these operations have: together they never pass the limit.
    if (Get(key) <= limit) return true;
    Sub(key);
    return false;
  }
  void Sub(uint64_t key) {
    First(key).fetch_sub(1);
    Second(key).fetch_sub(1);
  }

 private:
  using Counter = std::atomic<uint64_t>;
  static constexpr uint64_t kCounters = uint64_t{1} << kBits;

  Counter& First(uint64_t key) { return first_[key >> (64 - kBits)]; }
  Counter& Second(uint64_t key) { return second_[(key >> (64 - 2 * kBits)) % kCounters]; }
  const Counter& First(uint64_t key) const { return first_[key >> (64 - kBits)]; }
  const Counter& Second(uint64_t key) const {
    return second_[(key >> (64 - 2 * kBits)) % kCounters];
  }

  const uint64_t seed_;
  std::array<Counter, kCounters> first_{};
  std::array<Counter, kCounters> second_{};
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BULKHEAD_CONSUMER_COUNTS_H_
