#include "core/upstream/breaker/breaker_window.h"

#include <algorithm>

namespace sluice {
namespace {

// A tenth's word, from the lowest bit: calls, failures, slow ones, and the index of the tenth, 16
// bits each.
constexpr uint64_t kMask = 0xffff;

struct Tenth {
  uint16_t stamp = 0;
  BreakerCounts counts;

  static Tenth Of(uint64_t word) {
    return {static_cast<uint16_t>(word >> 48),
            {static_cast<uint32_t>(word & kMask), static_cast<uint32_t>(word >> 16 & kMask),
             static_cast<uint32_t>(word >> 32 & kMask)}};
  }
  uint64_t word() const {
    return uint64_t{stamp} << 48 | uint64_t{counts.slow} << 32 | uint64_t{counts.failures} << 16 |
           uint64_t{counts.calls};
  }
};

}  // namespace

BreakerWindow::BreakerWindow(SharedWords words, Nanos time, uint32_t calls)
    : words_(words),
      part_time_(std::max<Nanos>(time / Nanos{kParts}, 1)),
      part_calls_((calls + kParts - 1) / kParts) {
  if (calls > 0) parts_ = (calls + part_calls_ - 1) / part_calls_;
}

uint64_t BreakerWindow::IndexAt(Nanos now) const {
  if (part_calls_ > 0) return words_[kCursor].Load();
  return static_cast<uint64_t>(now / part_time_);
}

BreakerCounts BreakerWindow::Add(bool failure, bool slow, Nanos now) {
  while (true) {
    const uint64_t index = IndexAt(now);
    const BreakerCounts tenth = AddToTenth(index, failure, slow);
    if (tenth.calls > 0) {
      // Whoever fills it has the window at its fullest.
      const BreakerCounts sum = SumAt(index);
      uint64_t expected = index;
      if (part_calls_ > 0 && tenth.calls >= part_calls_) {
        words_[kCursor].CompareExchange(expected, index + 1);
      }
      return sum;
    }
    if (part_calls_ == 0) return SumAt(index);
    // It was full: who filled it had not come to this yet.
    uint64_t expected = index;
    words_[kCursor].CompareExchange(expected, index + 1);
  }
}

// What the tenth holds then; nothing if it takes no more: it is full, or others have gone on by a
// whole window.
BreakerCounts BreakerWindow::AddToTenth(uint64_t index, bool failure, bool slow) {
  const auto stamp = static_cast<uint16_t>(index);
  SharedWord word = WordOf(index);
  uint64_t seen = word.Load();
  while (true) {
    Tenth tenth = Tenth::Of(seen);
    if (tenth.stamp != stamp) {
      const auto ahead = static_cast<uint16_t>(tenth.stamp - stamp);
      if (ahead <= 2 * kParts) return {};
      tenth = {stamp, {}};
    }
    BreakerCounts& counts = tenth.counts;
    if (part_calls_ > 0 && counts.calls >= part_calls_) return {};
    if (counts.calls == kMask) {
      counts = {counts.calls / 2, counts.failures / 2, counts.slow / 2};
    }
    ++counts.calls;
    counts.failures += failure ? 1 : 0;
    counts.slow += slow ? 1 : 0;
    if (word.CompareExchange(seen, tenth.word())) return counts;
  }
}

BreakerCounts BreakerWindow::Sum(Nanos now) const { return SumAt(IndexAt(now)); }

// Each response comes here: the fields are added without being taken apart.
BreakerCounts BreakerWindow::SumAt(uint64_t index) const {
  uint64_t calls_and_slow = 0;  // 32 bits each
  uint64_t failures = 0;
  size_t place = index % kParts;
  const uint64_t most = std::min<uint64_t>(parts_, index + 1);
  for (uint64_t back = 0; back < most; ++back) {
    const uint64_t word = words_[kFirst + place].Load();
    place = place == 0 ? kParts - 1 : place - 1;
    if (word >> 48 != ((index - back) & kMask)) continue;
    calls_and_slow += word & (kMask << 32 | kMask);
    failures += word >> 16 & kMask;
  }
  return {static_cast<uint32_t>(calls_and_slow), static_cast<uint32_t>(failures),
          static_cast<uint32_t>(calls_and_slow >> 32)};
}

void BreakerWindow::Clear() {
  words_[kCursor].Store(0);
  for (size_t i = 0; i < kParts; ++i) words_[kFirst + i].Store(0);
}

}  // namespace sluice
