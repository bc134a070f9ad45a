#include "core/http/retry_after.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "core/base/strings.h"
#include "core/http/date.h"

namespace sluice {

std::optional<Nanos> RetryAfter(const Headers& headers, Nanos wall) {
  const std::optional<std::string_view> text = headers.Get(HeaderId::kRetryAfter);
  if (!text) return std::nullopt;
  constexpr int64_t kMost = 24 * 3600;  // more is the same to us, and does not overflow
  if (const auto seconds = ParseDecimal(*text)) {
    return static_cast<Nanos>(std::min<uint64_t>(*seconds, kMost)) * kSecond;
  }
  const auto date = ParseHttpDate(*text);
  if (!date) return std::nullopt;
  const auto sent = ParseHttpDate(headers.Get(HeaderId::kDate).value_or(std::string_view()));
  const int64_t seconds = *date - sent.value_or(wall / kSecond);
  return std::clamp<int64_t>(seconds, 0, kMost) * kSecond;
}

}  // namespace sluice
