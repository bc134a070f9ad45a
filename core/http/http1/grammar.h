// The character classes of RFC 9110 5.6 and 9112, and fast scans for them. Pure functions.
#ifndef SLUICE_CORE_HTTP_HTTP1_GRAMMAR_H_
#define SLUICE_CORE_HTTP_HTTP1_GRAMMAR_H_

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice::http1 {

constexpr bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// tchar of RFC 9110 5.6.2.
inline constexpr std::array<bool, 256> kTokenTable = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 256; ++c) {
    const char as_char = static_cast<char>(c);
    table[static_cast<size_t>(c)] =
        c < 128 &&
        (IsAlpha(as_char) || IsDigit(as_char) ||
         (c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(as_char) != std::string_view::npos));
  }
  return table;
}();
constexpr bool IsTokenChar(char c) { return kTokenTable[static_cast<uint8_t>(c)]; }

inline bool IsToken(std::string_view text) {
  for (char c : text) {
    if (!IsTokenChar(c)) return false;
  }
  return !text.empty();
}

// A control byte that no field value may hold: all but the tab.
constexpr bool IsControl(char c) {
  return (static_cast<uint8_t>(c) < 0x20 && c != '\t') || c == 0x7f;
}

// The first byte in [begin, end) for which IsControl; `end` if there is none. Eight bytes at a
// time.
inline const char* FindControl(const char* begin, const char* end) {
  static_assert(std::endian::native == std::endian::little);
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kTops = kOnes * 0x80;
  while (end - begin >= 8) {
    uint64_t word;
    std::memcpy(&word, begin, 8);
    const uint64_t below = (word - kOnes * 0x20) & ~word;
    const uint64_t flipped = word ^ (kOnes * 0x7f);
    const uint64_t deletes = (flipped - kOnes) & ~flipped;
    // Only the lowest mark is exact: a borrow may mark bytes above it.
    const uint64_t marks = (below | deletes) & kTops;
    if (marks == 0) {
      begin += 8;
      continue;
    }
    begin += std::countr_zero(marks) / 8;
    if (*begin != '\t') return begin;
    ++begin;
  }
  while (begin < end && !IsControl(*begin)) ++begin;
  return begin;
}

// May `text` stand as a field value?
inline bool IsFieldValue(std::string_view text) {
  return FindControl(text.data(), text.data() + text.size()) == text.data() + text.size();
}

// Is `text` a host with an optional port, as Host, absolute-form and authority-form have it?
// Neither user information, nor an empty host, nor an empty port.
bool IsAuthority(std::string_view text, bool needs_port);

}  // namespace sluice::http1

#endif  // SLUICE_CORE_HTTP_HTTP1_GRAMMAR_H_
