// Text in the segment: whole cells, the last one filled with zeros, each read and written as one
// atomic word: text of a recycled entry may be read while it is replaced, and the reader sees
// afterwards, by the generation, that it was. For this room only.
#ifndef SLUICE_CORE_STATS_TEXT_H_
#define SLUICE_CORE_STATS_TEXT_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/stats/cell.h"

namespace sluice {

constexpr uint64_t StatsTextCells(uint64_t bytes) { return (bytes + 7) / 8; }

inline uint64_t StatsTextCell(std::string_view text, size_t index) {
  uint64_t word = 0;
  const std::string_view part = text.substr(index * 8, 8);
  std::memcpy(&word, part.data(), part.size());
  return word;
}

inline void StoreStatsText(StatsCell* cells, std::string_view text) {
  for (size_t i = 0; i < StatsTextCells(text.size()); ++i) {
    cells[i].store(StatsTextCell(text, i), std::memory_order_relaxed);
  }
}

// Replaces what is in `out`.
inline void LoadStatsText(const StatsCell* cells, size_t length, std::string& out) {
  out.resize(length);
  for (size_t i = 0; i < StatsTextCells(length); ++i) {
    const uint64_t word = cells[i].load(std::memory_order_acquire);
    std::memcpy(out.data() + i * 8, &word, std::min<size_t>(8, length - i * 8));
  }
}

inline bool StatsTextIs(const StatsCell* cells, size_t length, std::string_view text) {
  if (length != text.size()) return false;
  for (size_t i = 0; i < StatsTextCells(length); ++i) {
    if (cells[i].load(std::memory_order_relaxed) != StatsTextCell(text, i)) return false;
  }
  return true;
}

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_TEXT_H_
