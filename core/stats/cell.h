// A cell: one 64-bit word of a row of the stats segment.
//
// Ownership and threads: a cell has exactly one writer for its whole life, the thread that owns its
// row, so adding to it is a relaxed load and a relaxed store: no lock prefix, no fence. Anybody may
// read it, from any thread or process, with a relaxed load.
#ifndef SLUICE_CORE_STATS_CELL_H_
#define SLUICE_CORE_STATS_CELL_H_

#include <atomic>
#include <cstdint>

namespace sluice {

using StatsCell = std::atomic<uint64_t>;
static_assert(StatsCell::is_always_lock_free, "cells are shared between processes");
static_assert(sizeof(StatsCell) == 8);

// Wraps around at 2^64. REQUIRES: the caller is the cell's only writer.
inline void AddToCell(StatsCell& cell, uint64_t n) {
  cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_CELL_H_
