#include "core/filter/time_format.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <ctime>

#include "core/base/strings.h"

namespace sluice {
namespace {

constexpr std::string_view kDefault = "%Y-%m-%dT%H:%M:%S.%3f";
constexpr std::string_view kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};
constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
constexpr size_t kMaxFractions = 4;
constexpr uint32_t kRemembered = 8;

// The longest text of each conversion; 0: there is none such.
size_t MaxLength(char conversion) {
  switch (conversion) {
    case 'd':
    case 'e':
    case 'H':
    case 'I':
    case 'm':
    case 'M':
    case 'p':
    case 'S':
    case 'y':
      return 2;
    case 'a':
    case 'b':
    case 'j':
      return 3;
    case 'R':
    case 'z':
      return 5;
    case 'D':
    case 'T':
      return 8;
    case 'A':
    case 'B':
    case 'f':
      return 9;
    case 'F':
    case 'Z':
    case 'Y':
      return 16;
    case 's':
      return 20;
    default:
      return 0;
  }
}

char* WriteDigits(char* out, int64_t number, size_t width, char fill = '0') {
  for (size_t i = width; i > 0; --i) {
    out[i - 1] =
        number == 0 && i < width && fill != '0' ? fill : static_cast<char>('0' + number % 10);
    number /= 10;
  }
  return out + width;
}

char* WriteText(char* out, std::string_view text) {
  return std::copy(text.begin(), text.end(), out);
}

char* WriteConversion(char* out, char conversion, const tm& time, int64_t seconds) {
  switch (conversion) {
    case 'Y':
      return WriteText(out, Decimal(static_cast<uint64_t>(time.tm_year + 1900)));
    case 'y':
      return WriteDigits(out, time.tm_year % 100, 2);
    case 'm':
      return WriteDigits(out, time.tm_mon + 1, 2);
    case 'd':
      return WriteDigits(out, time.tm_mday, 2);
    case 'e':
      return WriteDigits(out, time.tm_mday, 2, ' ');
    case 'H':
      return WriteDigits(out, time.tm_hour, 2);
    case 'I':
      return WriteDigits(out, time.tm_hour % 12 == 0 ? 12 : time.tm_hour % 12, 2);
    case 'M':
      return WriteDigits(out, time.tm_min, 2);
    case 'S':
      return WriteDigits(out, time.tm_sec, 2);
    case 'j':
      return WriteDigits(out, time.tm_yday + 1, 3);
    case 'p':
      return WriteText(out, time.tm_hour < 12 ? "AM" : "PM");
    case 'a':
      return WriteText(out, kDays[time.tm_wday].substr(0, 3));
    case 'A':
      return WriteText(out, kDays[time.tm_wday]);
    case 'b':
      return WriteText(out, kMonths[time.tm_mon].substr(0, 3));
    case 'B':
      return WriteText(out, kMonths[time.tm_mon]);
    case 'Z':
      return WriteText(out, std::string_view(time.tm_zone).substr(0, MaxLength('Z')));
    case 'z': {
      const int64_t minutes = time.tm_gmtoff / 60;
      *out++ = minutes < 0 ? '-' : '+';
      const int64_t size = minutes < 0 ? -minutes : minutes;
      return WriteDigits(out, size / 60 * 100 + size % 60, 4);
    }
    case 's':
      return WriteText(out, Decimal(static_cast<uint64_t>(seconds)));
    default: {
      const std::string_view parts = conversion == 'F'   ? "Y-m-d"
                                     : conversion == 'T' ? "H:M:S"
                                     : conversion == 'R' ? "H:M"
                                                         : "m/d/y";
      for (const char part : parts) {
        if (MaxLength(part) == 0) {
          *out++ = part;
        } else {
          out = WriteConversion(out, part, time, seconds);
        }
      }
      return out;
    }
  }
}

}  // namespace

// A format's text for one second, and where fractions go into it.
struct TimeFormat::Second {
  struct Fraction {
    uint16_t at;
    uint8_t digits;
  };
  uint32_t id = 0;
  uint16_t size = 0;
  uint8_t fraction_count = 0;
  int64_t seconds = 0;
  Fraction fractions[kMaxFractions];
  char text[kMaxText];
};

Result<TimeFormat> TimeFormat::Compile(std::string_view format, Zone zone) {
  static std::atomic<uint32_t> next_id{1};
  std::string standard;
  if (format.empty()) {
    standard = StrCat({kDefault, zone == Zone::kUtc ? "Z" : "%z"});
    format = standard;
  }
  TimeFormat compiled;
  compiled.zone_ = zone;
  compiled.id_ = next_id.fetch_add(1, std::memory_order_relaxed);
  size_t size = 0;
  size_t fractions = 0;
  std::string literal;
  const auto end_literal = [&] {
    if (!literal.empty()) compiled.pieces_.push_back({std::exchange(literal, {}), 0, 0});
  };
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      literal += format[i];
      ++size;
      continue;
    }
    if (++i == format.size()) {
      return Fail(Code::kInvalidArgument, "the time format ends with a lone percent sign");
    }
    if (format[i] == '%') {
      literal += '%';
      ++size;
      continue;
    }
    Piece piece;
    const bool has_digits = format[i] >= '1' && format[i] <= '9' && i + 1 < format.size();
    if (has_digits) piece.digits = static_cast<uint8_t>(format[i++] - '0');
    piece.conversion = format[i];
    const size_t length = MaxLength(piece.conversion);
    if (length == 0 || (has_digits && piece.conversion != 'f')) {
      return Fail(Code::kInvalidArgument,
                  StrCat({"the time format has no \"%",
                          format.substr(has_digits ? i - 1 : i, has_digits ? 2 : 1), "\""}));
    }
    if (piece.conversion == 'f') {
      if (!has_digits) piece.digits = 9;
      ++fractions;
    }
    size += length;
    end_literal();
    compiled.pieces_.push_back(std::move(piece));
  }
  end_literal();
  if (size > kMaxText) return Fail(Code::kInvalidArgument, "the time format is too long");
  if (fractions > kMaxFractions) {
    return Fail(Code::kInvalidArgument, "the time format has too many %f");
  }
  return compiled;
}

void TimeFormat::Render(Second& second, int64_t seconds) const {
  second.id = id_;
  second.seconds = seconds;
  second.fraction_count = 0;
  const time_t time = static_cast<time_t>(seconds);
  tm parts{};
  if (zone_ == Zone::kUtc) {
    gmtime_r(&time, &parts);
  } else {
    localtime_r(&time, &parts);
  }
  char* out = second.text;
  for (const Piece& piece : pieces_) {
    if (piece.conversion == 0) {
      out = WriteText(out, piece.literal);
    } else if (piece.conversion == 'f') {
      second.fractions[second.fraction_count++] = {static_cast<uint16_t>(out - second.text),
                                                   piece.digits};
      out += piece.digits;
    } else {
      out = WriteConversion(out, piece.conversion, parts, seconds);
    }
  }
  second.size = static_cast<uint16_t>(out - second.text);
}

char* TimeFormat::Write(char* out, Nanos wall) const {
  thread_local Second remembered[kRemembered];
  const int64_t seconds = std::max<Nanos>(wall, 0) / kSecond;
  Second& second = remembered[id_ % kRemembered];
  if (second.id != id_ || second.seconds != seconds) [[unlikely]]
    Render(second, seconds);
  std::memcpy(out, second.text, second.size);
  for (uint8_t i = 0; i < second.fraction_count; ++i) {
    int64_t fraction = std::max<Nanos>(wall, 0) % kSecond;
    for (uint8_t digits = second.fractions[i].digits; digits < 9; ++digits) fraction /= 10;
    WriteDigits(out + second.fractions[i].at, fraction, second.fractions[i].digits);
  }
  return out + second.size;
}

}  // namespace sluice
