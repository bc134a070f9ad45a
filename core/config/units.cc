#include "core/config/units.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "core/base/strings.h"

namespace sluice {
namespace {

template <typename Number>
struct Scale {
  std::string_view name;
  Number factor;
};

constexpr int64_t kMillisecond = 1'000'000;
constexpr int64_t kSecond = 1'000 * kMillisecond;
constexpr Scale<int64_t> kDurations[] = {{"d", 86'400 * kSecond},
                                         {"h", 3'600 * kSecond},
                                         {"m", 60 * kSecond},
                                         {"s", kSecond},
                                         {"ms", kMillisecond},
                                         {"us", 1'000},
                                         {"ns", 1}};
constexpr Scale<uint64_t> kSizes[] = {{"TiB", 1ull << 40},
                                      {"GiB", 1ull << 30},
                                      {"MiB", 1ull << 20},
                                      {"KiB", 1ull << 10},
                                      {"TB", 1'000'000'000'000},
                                      {"GB", 1'000'000'000},
                                      {"MB", 1'000'000},
                                      {"KB", 1'000},
                                      {"kB", 1'000},
                                      {"B", 1}};

template <typename Number, size_t n>
std::optional<Number> Factor(const Scale<Number> (&scales)[n], std::string_view name) {
  for (const auto& scale : scales) {
    if (scale.name == name) return scale.factor;
  }
  return std::nullopt;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes "12" or "1.5" off the front of `text` and gives it times `factor`. Whole numbers and
// fractions are exact: 9 digits of fraction are enough for a nanosecond in a second.
struct Amount {
  uint64_t whole = 0;
  uint64_t fraction = 0;  // out of fraction_base
  uint64_t fraction_base = 1;
};
std::optional<Amount> TakeAmount(std::string_view& text) {
  Amount amount;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount.whole);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (text.empty() || text.front() != '.') return amount;
  text.remove_prefix(1);
  if (text.empty() || !IsDigit(text.front())) return std::nullopt;
  for (; !text.empty() && IsDigit(text.front()); text.remove_prefix(1)) {
    if (amount.fraction_base == 1'000'000'000) return std::nullopt;
    amount.fraction = amount.fraction * 10 + static_cast<uint64_t>(text.front() - '0');
    amount.fraction_base *= 10;
  }
  return amount;
}

std::optional<uint64_t> Times(const Amount& amount, uint64_t factor, uint64_t most) {
  // The fraction is below its base, at most 10^9, so neither product overflows.
  const uint64_t rest = factor / amount.fraction_base * amount.fraction +
                        factor % amount.fraction_base * amount.fraction / amount.fraction_base;
  uint64_t total = 0;
  if (__builtin_mul_overflow(amount.whole, factor, &total) ||
      __builtin_add_overflow(total, rest, &total) || total > most) {
    return std::nullopt;
  }
  return total;
}

}  // namespace

std::optional<int64_t> ParseDuration(std::string_view text) {
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  uint64_t total = 0;
  int64_t smallest = std::numeric_limits<int64_t>::max();
  while (!text.empty()) {
    const auto amount = TakeAmount(text);
    if (!amount) return std::nullopt;
    size_t length = 0;
    while (length < text.size() && !IsDigit(text[length])) ++length;
    const auto factor = Factor(kDurations, text.substr(0, length));
    if (!factor || *factor >= smallest) return std::nullopt;  // 30s1m, 1s1s: a slip
    const auto part = Times(*amount, static_cast<uint64_t>(*factor), kMost - total);
    if (!part) return std::nullopt;
    total += *part;
    smallest = *factor;
    text.remove_prefix(length);
  }
  return static_cast<int64_t>(total);
}

std::optional<uint64_t> ParseSize(std::string_view text) {
  const auto amount = TakeAmount(text);
  if (!amount) return std::nullopt;
  if (text.empty() && amount->fraction_base == 1) return amount->whole;
  const auto factor = Factor(kSizes, text);
  if (!factor) return std::nullopt;
  return Times(*amount, *factor, std::numeric_limits<uint64_t>::max());
}

std::optional<double> ParseRate(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto events = ParseNumber(text.substr(0, slash));
  const std::string_view unit = text.substr(slash + 1);
  const auto factor = Factor(kDurations, unit);
  if (!events || *events < 0 || !factor || *factor < kSecond) return std::nullopt;
  const auto seconds = *factor / kSecond;  // whole ones: the units are s, m and h
  return *events / static_cast<double>(seconds);
}

std::optional<double> ParsePercent(std::string_view text) {
  if (text.empty() || text.back() != '%') return std::nullopt;
  const auto share = ParseNumber(text.substr(0, text.size() - 1));
  if (!share || *share < 0 || *share > 100) return std::nullopt;
  return share;
}

std::optional<uint32_t> ParseMode(std::string_view text) {
  if (text.substr(0, 2) == "0o") text.remove_prefix(2);
  uint32_t mode = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, mode, 8);
  if (error != std::errc() || stopped != end || mode > 07777) return std::nullopt;
  return mode;
}

std::optional<double> ParseNumber(std::string_view text) {
  // from_chars also takes "inf" and "nan".
  if (text.empty() || !(IsDigit(text.front()) || text.front() == '-' || text.front() == '.')) {
    return std::nullopt;
  }
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<bool> ParseSwitch(std::string_view text) {
  if (text == "on" || text == "true" || text == "yes") return true;
  if (text == "off" || text == "false" || text == "no") return false;
  return std::nullopt;
}

std::string FormatDuration(int64_t nanoseconds) {
  if (nanoseconds == 0) return "0";
  std::string text;
  for (const auto& scale : kDurations) {
    const int64_t count = nanoseconds / scale.factor;
    nanoseconds %= scale.factor;
    if (count > 0) text += StrCat({Decimal(static_cast<uint64_t>(count)), scale.name});
  }
  return text;
}

std::string FormatSize(uint64_t bytes) {
  for (const auto& scale : kSizes) {
    const bool binary = scale.name.size() == 3;
    if (binary && bytes > 0 && bytes % scale.factor == 0) {
      return StrCat({Decimal(bytes / scale.factor), scale.name});
    }
  }
  return StrCat({Decimal(bytes), "B"});
}

}  // namespace sluice
