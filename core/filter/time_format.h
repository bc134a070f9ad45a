// TimeFormat: a time of day as text, in the manner of strftime, without its locale. Compiled on the
// main thread, immutable, shared by workers; each thread remembers the second that it wrote last.
//
//   %Y %m %d %H %M %S %y %j %e %I %p %a %A %b %B   as in strftime, in English
//   %F %T %R %D                                    %Y-%m-%d, %H:%M:%S, %H:%M, %m/%d/%y
//   %z %Z                                          +0100, the zone's name
//   %s %f %3f                                      seconds since the epoch; 9 or so many digits of
//                                                  the second's fraction
#ifndef SLUICE_CORE_FILTER_TIME_FORMAT_H_
#define SLUICE_CORE_FILTER_TIME_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace sluice {

class TimeFormat {
 public:
  static constexpr size_t kMaxText = 192;

  enum class Zone : uint8_t { kUtc, kLocal };
  // Empty: 2024-05-01T12:30:59.123Z, or with the zone's offset in its place.
  // Errors: an unknown conversion, a text that may get longer than kMaxText.
  static Result<TimeFormat> Compile(std::string_view format, Zone zone);

  // Writes the time `wall`, nanoseconds since the epoch; returns the end. REQUIRES: room for
  // kMaxText.
  char* Write(char* out, Nanos wall) const;

 private:
  struct Piece {
    std::string literal;
    char conversion = 0;  // 0: the literal
    uint8_t digits = 0;   // of 'f'
  };
  struct Second;
  TimeFormat() = default;
  void Render(Second& second, int64_t seconds) const;

  std::vector<Piece> pieces_;
  Zone zone_ = Zone::kUtc;
  uint32_t id_ = 0;  // of this format, process-wide: what the threads' memory goes by
};

}  // namespace sluice

#endif  // SLUICE_CORE_FILTER_TIME_FORMAT_H_
