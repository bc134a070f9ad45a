// SharedGauge: a handle on one cell that every thread of this process adds to and takes from: what
// must be given back, such as the requests in flight at an endpoint. The cell lies in the main
// thread's row of the process' bank, so a process that is killed takes its share along: nothing is
// ever left counted. During a hot restart each process has its own count, and readers show the sum.
//
// One word, copied freely; it borrows the segment (or the directory, where that is full). Got from
// StatsDirectory::SharedGauge() on the main thread, which is the only one to make such handles; any
// thread may use it at any time. Adding costs a locked instruction: for what one worker alone
// counts there is Gauge.
#ifndef SLUICE_CORE_STATS_SHARED_GAUGE_H_
#define SLUICE_CORE_STATS_SHARED_GAUGE_H_

#include "core/stats/cell.h"

namespace sluice {

class SharedGauge {
 public:
  SharedGauge() = default;  // may only be assigned to
  explicit SharedGauge(StatsCell* cell) : cell_(cell) {}

  void Add() const { cell_->fetch_add(1, std::memory_order_relaxed); }
  void Sub() const { cell_->fetch_sub(1, std::memory_order_relaxed); }
  // For what is no count, such as a limit: whoever sets it last.
  void Set(uint64_t value) const { cell_->store(value, std::memory_order_relaxed); }
  // Of this process.
  uint64_t value() const { return cell_->load(std::memory_order_relaxed); }

  // Adds one if fewer than `limit` are there, and says whether it did.
  bool TryAdd(uint64_t limit) const {
    uint64_t now = value();
    while (now < limit) {
      if (cell_->compare_exchange_weak(now, now + 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }

 private:
  StatsCell* cell_ = nullptr;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_SHARED_GAUGE_H_
