// Small pieces of text work that several rooms need. ASCII only: header names, hosts and config
// are.
#ifndef SLUICE_CORE_BASE_STRINGS_H_
#define SLUICE_CORE_BASE_STRINGS_H_

#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

constexpr char LowerAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool EqualsIgnoreCase(std::string_view a, std::string_view b);
std::string LowerAscii(std::string_view text);
// Without the spaces and tabs at both ends.
std::string_view TrimBlanks(std::string_view text);

// The parts, one behind the other.
std::string StrCat(std::initializer_list<std::string_view> parts);

// Decimal digits only, no sign, nothing else; nothing on overflow.
std::optional<uint64_t> ParseDecimal(std::string_view text);

// Decimal digits of `value`; valid as long as this object.
class Decimal {
 public:
  explicit Decimal(uint64_t value)
      : end_(std::to_chars(digits_, digits_ + sizeof(digits_), value).ptr) {}
  std::string_view view() const { return {digits_, static_cast<size_t>(end_ - digits_)}; }
  operator std::string_view() const { return view(); }  // NOLINT: reads well in StrCat

 private:
  char digits_[20];
  char* end_;
};

// Calls visit(element) for each element of a comma-separated list (RFC 9110 5.6.1), without the
// blanks around it and without empty ones; visit returns false to stop.
template <typename Visit>
void ForEachListElement(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view element = TrimBlanks(list.substr(0, comma));
    if (!element.empty() && !visit(element)) return;
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

// Is `token` an element of the comma-separated list, whatever its case?
bool ListContains(std::string_view list, std::string_view token);

}  // namespace sluice

#endif  // SLUICE_CORE_BASE_STRINGS_H_
