// RouteStrings: an immutable set of strings, each with a number, found by hash without allocating.
// Filled while a table is compiled, then read by all workers.
#ifndef SLUICE_CORE_CONFIG_ROUTE_STRINGS_H_
#define SLUICE_CORE_CONFIG_ROUTE_STRINGS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// XXH3, 64 bits: the same in every process and release, as sticky choices need it to be.
uint64_t RouteHash(std::string_view text);

class RouteStrings {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // Keeps a copy of `key`; false if it is there already. REQUIRES: value is not kNone.
  bool Insert(std::string_view key, uint32_t value);
  // The number of `key`, or kNone.
  uint32_t Find(std::string_view key) const;

  size_t size() const { return size_; }

 private:
  // Open addressing with linear probing, at most half full. The text is in text_.
  struct Slot {
    uint32_t tag = 0;  // the hash's upper half
    uint32_t value = kNone;
    uint32_t offset = 0;
    uint32_t length = 0;
  };

  // The slot that holds `key`, or the empty one where it belongs.
  const Slot& Locate(std::string_view key) const;
  void Grow();

  std::vector<Slot> slots_;
  std::string text_;
  size_t size_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_STRINGS_H_
