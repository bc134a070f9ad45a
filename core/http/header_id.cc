#include "core/http/header_id.h"

#include <array>
#include <cstring>

namespace sluice {
namespace {

constexpr std::string_view kNames[kHeaderIdCount] = {"",
#define SLUICE_HEADER_TEXT(id, name) name,
                                                     SLUICE_HEADER_IDS(SLUICE_HEADER_TEXT)
#undef SLUICE_HEADER_TEXT
};

constexpr size_t kSlots = 1024;

// Length and three letters tell the known names apart; the multiplier is searched when compiling.
constexpr size_t Slot(std::string_view name, uint32_t multiplier) {
  const auto at = [&](size_t i) { return static_cast<uint32_t>(name[i] | 0x20); };
  const uint32_t key = at(0) + (at(name.size() - 1) << 8) +
                       (at(name.size() < 3 ? 0 : name.size() - 3) << 16) +
                       (static_cast<uint32_t>(name.size()) << 24);
  return (key * multiplier) >> 22;  // 10 bits
}

constexpr bool Distinct(uint32_t multiplier) {
  std::array<bool, kSlots> taken{};
  for (size_t i = 1; i < kHeaderIdCount; ++i) {
    bool& slot = taken[Slot(kNames[i], multiplier)];
    if (slot) return false;
    slot = true;
  }
  return true;
}

constexpr uint32_t FindMultiplier() {
  uint32_t multiplier = 0x9e3779b1;
  while (!Distinct(multiplier)) multiplier = multiplier * 1664525 + 1013904223;
  return multiplier;
}

struct Table {
  uint32_t multiplier = FindMultiplier();
  std::array<uint8_t, kSlots> ids{};
  constexpr Table() {
    for (size_t i = 1; i < kHeaderIdCount; ++i) {
      ids[Slot(kNames[i], multiplier)] = static_cast<uint8_t>(i);
    }
  }
};
constexpr Table kTable;

template <typename Word>
bool SameWord(const char* lower, const char* name) {
  Word a;
  Word b;
  std::memcpy(&a, lower, sizeof(Word));
  std::memcpy(&b, name, sizeof(Word));
  return a == (b | static_cast<Word>(0x2020202020202020));
}

// Is `name` the same as `lower` but for case? The letters of our names are letters and the hyphen:
// setting bit 5 makes nothing else equal to them that may stand in a name.
bool Same(const char* lower, const char* name, size_t size) {
  if (size >= 8) {
    for (size_t i = 0; i + 8 < size; i += 8) {
      if (!SameWord<uint64_t>(lower + i, name + i)) return false;
    }
    return SameWord<uint64_t>(lower + size - 8, name + size - 8);
  }
  if (size >= 4) {
    return SameWord<uint32_t>(lower, name) && SameWord<uint32_t>(lower + size - 4, name + size - 4);
  }
  for (size_t i = 0; i < size; ++i) {
    if (lower[i] != (name[i] | 0x20)) return false;
  }
  return true;
}

}  // namespace

HeaderId FindHeaderId(std::string_view name) {
  if (name.empty()) return HeaderId::kOther;
  const uint8_t id = kTable.ids[Slot(name, kTable.multiplier)];
  const std::string_view known = kNames[id];
  return known.size() == name.size() && Same(known.data(), name.data(), name.size())
             ? static_cast<HeaderId>(id)
             : HeaderId::kOther;
}

std::string_view HeaderName(HeaderId id) { return kNames[static_cast<size_t>(id)]; }

}  // namespace sluice
