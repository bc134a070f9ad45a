// Numbers as `sluice top` shows them: three digits or so and a unit. Pure functions.
#ifndef SLUICE_CORE_SERVER_STATS_TOP_FORMAT_H_
#define SLUICE_CORE_SERVER_STATS_TOP_FORMAT_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

std::string ShortNumber(double value);       // 0, 4.2, 950, 12.3k, 4.50M
std::string ShortTime(double microseconds);  // 870us, 1.23ms, 12.3s, 4m
std::string ShortShare(double part);         // of 1: 0%, 0.12%, 12.5%, 100%
std::string ShortAge(int64_t seconds);       // 59s, 12m, 3h5m, 12d4h

// Printable ASCII, one column a byte: what a terminal could obey, or show wider, becomes "?".
std::string Printable(std::string_view text);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_STATS_TOP_FORMAT_H_
