// Where a request's query parameters and cookies are found. Values are taken as they were sent,
// nothing is decoded.
#ifndef SLUICE_CORE_CONFIG_ROUTE_VALUES_H_
#define SLUICE_CORE_CONFIG_ROUTE_VALUES_H_

#include <optional>
#include <string_view>

#include "core/config/route_input.h"

namespace sluice {

// The first parameter of that name; an empty value where it has no "=".
std::optional<std::string_view> FindQueryParameter(std::string_view query, std::string_view name);

// The first cookie of that name (RFC 6265 4.2.1), over all Cookie lines.
std::optional<std::string_view> FindCookie(const RouteInput& input, std::string_view name);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_VALUES_H_
