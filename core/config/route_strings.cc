#include "core/config/route_strings.h"

#include <utility>

#include "core/base/check.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace sluice {

uint64_t RouteHash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

const RouteStrings::Slot& RouteStrings::Locate(std::string_view key) const {
  const uint64_t hash = XXH3_64bits(key.data(), key.size());
  const auto tag = static_cast<uint32_t>(hash >> 32);
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.value == kNone) return slot;
    if (slot.tag == tag && std::string_view(text_).substr(slot.offset, slot.length) == key) {
      return slot;
    }
  }
}

uint32_t RouteStrings::Find(std::string_view key) const {
  return size_ == 0 ? kNone : Locate(key).value;
}

bool RouteStrings::Insert(std::string_view key, uint32_t value) {
  CHECK(value != kNone && text_.size() + key.size() < UINT32_MAX);
  if ((size_ + 1) * 2 > slots_.size()) Grow();
  Slot& slot = const_cast<Slot&>(Locate(key));
  if (slot.value != kNone) return false;
  slot.tag = static_cast<uint32_t>(RouteHash(key) >> 32);
  slot.value = value;
  slot.offset = static_cast<uint32_t>(text_.size());
  slot.length = static_cast<uint32_t>(key.size());
  text_ += key;
  ++size_;
  return true;
}

void RouteStrings::Grow() {
  std::vector<Slot> old = std::exchange(slots_, {});
  slots_.resize(old.empty() ? 16 : old.size() * 2);
  for (const Slot& slot : old) {
    if (slot.value == kNone) continue;
    const auto key = std::string_view(text_).substr(slot.offset, slot.length);
    const_cast<Slot&>(Locate(key)) = slot;
  }
}

}  // namespace sluice
