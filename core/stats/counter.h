// Counter: a worker's handle on its own cell of a series that only grows.
//
// One word, copied freely. It borrows the cell: the segment outlives every handle. Only the thread
// that owns the row may call Inc. Got from StatsRow::counter() or a StatsGroup's Bind(); a
// default-constructed one is bound to nothing and may only be assigned to.
#ifndef SLUICE_CORE_STATS_COUNTER_H_
#define SLUICE_CORE_STATS_COUNTER_H_

#include "core/stats/cell.h"

namespace sluice {

class Counter {
 public:
  Counter() = default;
  explicit Counter(StatsCell* cell) : cell_(cell) {}

  void Inc(uint64_t n = 1) { AddToCell(*cell_, n); }

  // What this row's thread has counted; the series' total is StatsReader's.
  uint64_t value() const { return cell_->load(std::memory_order_relaxed); }

 private:
  StatsCell* cell_ = nullptr;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_COUNTER_H_
