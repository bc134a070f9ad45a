#include "core/http/date.h"

#include <time.h>

#include <cstring>

namespace sluice {
namespace {

struct Civil {
  int64_t year;
  unsigned month;  // 1 to 12
  unsigned day;
};

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": civil_from_days.
Civil CivilOf(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted = (5 * day_of_year + 2) / 153;
  const unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
  const int64_t year = static_cast<int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0);
  return {year, month, day_of_year - (153 * shifted + 2) / 5 + 1};
}

void PutDigits(char* at, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

HttpDate::HttpDate(int64_t unix_seconds) {
  constexpr char kDays[] = "ThuFriSatSunMonTueWed";
  constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  int64_t days = unix_seconds / 86400;
  int64_t second = unix_seconds % 86400;
  if (second < 0) {
    second += 86400;
    --days;
  }
  const Civil civil = CivilOf(days);
  const int64_t weekday = (days % 7 + 7) % 7;
  std::memcpy(text_, "Ddd, 00 Mmm 0000 00:00:00 GMT", kSize);
  std::memcpy(text_, kDays + 3 * weekday, 3);
  PutDigits(text_ + 5, civil.day, 2);
  std::memcpy(text_ + 8, kMonths + 3 * (civil.month - 1), 3);
  PutDigits(text_ + 12, static_cast<unsigned>(civil.year), 4);
  PutDigits(text_ + 17, static_cast<unsigned>(second / 3600), 2);
  PutDigits(text_ + 20, static_cast<unsigned>(second / 60 % 60), 2);
  PutDigits(text_ + 23, static_cast<unsigned>(second % 60), 2);
}

std::optional<int64_t> ParseHttpDate(std::string_view text) {
  // IMF-fixdate, RFC 850's and asctime's; the names are those of the "C" locale, which the process
  // never leaves.
  constexpr const char* kFormats[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                      "%a %b %e %H:%M:%S %Y"};
  char copy[64];
  if (text.size() >= sizeof(copy)) return std::nullopt;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  for (const char* const format : kFormats) {
    struct tm parts {};
    const char* const end = strptime(copy, format, &parts);
    if (end != nullptr && *end == '\0') return timegm(&parts);
  }
  return std::nullopt;
}

}  // namespace sluice
