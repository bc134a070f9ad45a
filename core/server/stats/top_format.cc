#include "core/server/stats/top_format.h"

#include <cmath>
#include <cstdio>
#include <iterator>

#include "core/base/strings.h"

namespace sluice {
namespace {

std::string Fixed(double value, int decimals) {
  char text[400];  // as long as the longest double
  const int size = std::snprintf(text, sizeof(text), "%.*f", decimals, value);
  return std::string(text, size > 0 ? static_cast<size_t>(size) : 0);
}

// Three digits, and the point where it belongs.
std::string ThreeDigits(double value) {
  if (value < 9.995) return Fixed(value, 2);
  if (value < 99.95) return Fixed(value, 1);
  return Fixed(value, 0);
}

}  // namespace

std::string ShortNumber(double value) {
  if (value < 0) return "-" + ShortNumber(-value);
  if (value == std::floor(value) && value < 1000) return Fixed(value, 0);
  if (value < 999.5) return value < 9.95 ? Fixed(value, 1) : Fixed(value, 0);
  constexpr const char* kUnits[] = {"k", "M", "G", "T", "P", "E"};
  for (size_t i = 0;; ++i) {
    value /= 1000;
    if (value < 999.5 || i + 1 == std::size(kUnits)) return ThreeDigits(value) + kUnits[i];
  }
}

std::string ShortTime(double microseconds) {
  if (microseconds < 999.5) return Fixed(microseconds, 0) + "us";
  if (microseconds < 999'500) return ThreeDigits(microseconds / 1e3) + "ms";
  if (microseconds < 600e6) return ThreeDigits(microseconds / 1e6) + "s";
  return Fixed(microseconds / 60e6, 0) + "m";
}

std::string ShortShare(double part) {
  const double percent = part * 100;
  if (percent == 0) return "0%";
  if (percent < 9.995) return Fixed(percent, 2) + "%";
  return percent < 99.95 ? Fixed(percent, 1) + "%" : Fixed(percent, 0) + "%";
}

std::string ShortAge(int64_t seconds) {
  if (seconds < 0) return "?";
  const auto n = static_cast<uint64_t>(seconds);
  if (n < 60) return StrCat({Decimal(n), "s"});
  if (n < 3600) return StrCat({Decimal(n / 60), "m"});
  if (n < 86400) return StrCat({Decimal(n / 3600), "h", Decimal(n / 60 % 60), "m"});
  return StrCat({Decimal(n / 86400), "d", Decimal(n / 3600 % 24), "h"});
}

std::string Printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

}  // namespace sluice
