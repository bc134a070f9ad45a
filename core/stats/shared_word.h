// SharedWord: a handle on one 64-bit word that all workers of this process and the next one share:
// an endpoint's health, a breaker's state, a limiter's count. Not a metric: nothing exports it.
//
// One word, copied freely; it borrows the segment. Any thread may use it at any time: each
// operation is atomic, with acquire and release, and what was written before one is seen by
// whoever reads its value. Got from StatsDirectory::Word() on the main thread; the same name and
// labels are the same word, in every process of the segment, and zero the first time.
//
// It outlives the process. One that is killed leaves the last value it stored, whole, and nothing
// that it had meant to undo: what must be given back (permits, requests in flight) is a Gauge,
// which vanishes with its process. Times in it are monotonic: the same for every process of one
// boot.
#ifndef SLUICE_CORE_STATS_SHARED_WORD_H_
#define SLUICE_CORE_STATS_SHARED_WORD_H_

#include <cstddef>
#include <cstdint>

#include "core/stats/cell.h"

namespace sluice {

class SharedWord {
 public:
  SharedWord() = default;  // may only be assigned to
  explicit SharedWord(StatsCell* cell) : cell_(cell) {}
  explicit operator bool() const { return cell_ != nullptr; }

  uint64_t Load() const { return cell_->load(std::memory_order_acquire); }
  void Store(uint64_t value) { cell_->store(value, std::memory_order_release); }

  // Stores `desired` if the word is `expected`; else says in `expected` what it is.
  bool CompareExchange(uint64_t& expected, uint64_t desired) {
    return cell_->compare_exchange_strong(expected, desired, std::memory_order_acq_rel);
  }
  // Adds, wrapping around, and returns what was there before.
  uint64_t FetchAdd(uint64_t n) { return cell_->fetch_add(n, std::memory_order_acq_rel); }

 private:
  StatsCell* cell_ = nullptr;
};

// The words of one name: what changes together, such as a limiter's state, has one entry of the
// directory and one pair of cache lines. As SharedWord in all else.
class SharedWords {
 public:
  static constexpr size_t kCount = 16;

  SharedWords() = default;  // may only be assigned to
  explicit SharedWords(StatsCell* cells) : cells_(cells) {}

  // REQUIRES: i < kCount.
  SharedWord operator[](size_t i) const { return SharedWord(cells_ + i); }

 private:
  StatsCell* cells_ = nullptr;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_SHARED_WORD_H_
