// ConsumerCounts: how many requests each consumer of a route has in flight, over all workers, in a
// fixed number of counters: who makes up new names takes no memory. Consumers whose hashes meet in
// one counter share a limit: of 100 that are in flight at a time, two or three. What the hashes are
// mixed with is another in each process, so that nobody finds out whose counter he can fill.
//
// The counts are of this process' memory, as those of SharedGauge are: a process that is killed
// leaves nothing counted. A reload begins with new ones.
#ifndef SLUICE_CORE_UPSTREAM_BULKHEAD_CONSUMER_COUNTS_H_
#define SLUICE_CORE_UPSTREAM_BULKHEAD_CONSUMER_COUNTS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/random.h"
#include "core/stats/shared_gauge.h"

namespace sluice {

class ConsumerCounts {
 public:
  static constexpr int kBits = 12;

  ConsumerCounts() : seed_(Random().Next()) {}

  // That of the consumer whose name has this hash. Any thread.
  SharedGauge Of(uint64_t hash) { return SharedGauge(&cell(hash)); }
  StatsCell& cell(uint64_t hash) {
    constexpr uint64_t kMix = 0x9e3779b97f4a7c15;  // Knuth's multiplicative hashing
    uint64_t mixed = (hash ^ seed_) * kMix;
    mixed = (mixed ^ mixed >> 32) * kMix;  // one round leaves neighbours at the same distance
    return cells_[mixed >> (64 - kBits)];
  }

 private:
  const uint64_t seed_;
  std::array<StatsCell, size_t{1} << kBits> cells_{};
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BULKHEAD_CONSUMER_COUNTS_H_
