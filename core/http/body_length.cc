#include "core/http/body_length.h"

#include <optional>
#include <string_view>

#include "core/base/strings.h"

namespace sluice {

int64_t AnnouncedLength(const Headers& headers) {
  const std::optional<std::string_view> text = headers.Get(HeaderId::kContentLength);
  if (!text || headers.Count(HeaderId::kContentLength) != 1) return -1;
  const std::optional<uint64_t> length = ParseDecimal(*text);
  return length && *length <= INT64_MAX ? static_cast<int64_t>(*length) : -1;
}

}  // namespace sluice
