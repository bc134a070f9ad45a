// Gauge: a worker's handle on its own cell of a series that goes up and down. A reader sees the sum
// over the rows of live processes, so each worker adds and gives back its own share, and a value
// that is one for the whole process (a config version) is Set by the main thread alone.
//
// Ownership and threads as for Counter. Values are signed: a sum may be read between a worker's Add
// and another's Sub.
#ifndef SLUICE_CORE_STATS_GAUGE_H_
#define SLUICE_CORE_STATS_GAUGE_H_

#include "core/stats/cell.h"

namespace sluice {

class Gauge {
 public:
  Gauge() = default;
  explicit Gauge(StatsCell* cell) : cell_(cell) {}

  void Add(int64_t n = 1) { AddToCell(*cell_, static_cast<uint64_t>(n)); }
  void Sub(int64_t n = 1) { AddToCell(*cell_, -static_cast<uint64_t>(n)); }
  void Set(int64_t value) { cell_->store(static_cast<uint64_t>(value), std::memory_order_relaxed); }

  // This row's share; the series' value is StatsReader's.
  int64_t value() const { return static_cast<int64_t>(cell_->load(std::memory_order_relaxed)); }

 private:
  StatsCell* cell_ = nullptr;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_GAUGE_H_
