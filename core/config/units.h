// Numbers with units as people write them in config files, in flags and in header-driven faults.
// Pure functions; any thread. Nothing comes back when the text is not of that form or overflows.
#ifndef SLUICE_CORE_CONFIG_UNITS_H_
#define SLUICE_CORE_CONFIG_UNITS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// 250ms, 5s, 1m30s, 1.5h, 2d, 0: nanoseconds, never negative. Units: ns us ms s m h d.
std::optional<int64_t> ParseDuration(std::string_view text);

// 512, 512B, 64KiB, 10MB, 1.5GiB: bytes. K, M, G, T by 1000 with B and by 1024 with iB.
std::optional<uint64_t> ParseSize(std::string_view text);

// 100/s, 5/m, 2/h, 1/d: events per second.
std::optional<double> ParseRate(std::string_view text);

// 50%, 0.1%: 0 to 100.
std::optional<double> ParsePercent(std::string_view text);

// "0660", "660" or "0o660": what chmod takes.
std::optional<uint32_t> ParseMode(std::string_view text);

// A plain decimal number, with a fraction or exponent if need be; finite.
std::optional<double> ParseNumber(std::string_view text);

// on, off, true, false, yes, no.
std::optional<bool> ParseSwitch(std::string_view text);

// The shortest exact way to write them, for summaries and messages: "1m30s", "64KiB".
std::string FormatDuration(int64_t nanoseconds);
std::string FormatSize(uint64_t bytes);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_UNITS_H_
