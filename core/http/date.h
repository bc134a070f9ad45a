// Dates in fields. HttpDate writes IMF-fixdate (RFC 9110 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
// The caller keeps the text for the second it is good for.
#ifndef SLUICE_CORE_HTTP_DATE_H_
#define SLUICE_CORE_HTTP_DATE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

class HttpDate {
 public:
  static constexpr size_t kSize = 29;

  // Seconds since the epoch, of a year from 1 to 9999.
  explicit HttpDate(int64_t unix_seconds);
  std::string_view view() const { return {text_, kSize}; }

 private:
  char text_[kSize];
};

// Seconds since the epoch, of any of the three formats that RFC 9110 5.6.7 has recipients accept.
std::optional<int64_t> ParseHttpDate(std::string_view text);

}  // namespace sluice

#endif  // SLUICE_CORE_HTTP_DATE_H_
