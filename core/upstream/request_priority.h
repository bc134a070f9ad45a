// RequestPriority: how important a request is: who is let in where there is no room for all, and
// who is given up last.
#ifndef SLUICE_CORE_UPSTREAM_REQUEST_PRIORITY_H_
#define SLUICE_CORE_UPSTREAM_REQUEST_PRIORITY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

enum class RequestPriority : uint8_t { kLow, kNormal, kHigh, kCritical };

inline constexpr size_t kRequestPriorities = 4;

// Such requests may use what is reserved, and have the `high` limits.
constexpr bool IsHigh(RequestPriority priority) { return priority >= RequestPriority::kHigh; }

// low, normal, high, critical.
std::string_view RequestPriorityName(RequestPriority priority);
// Whatever its case; nothing: no such name.
std::optional<RequestPriority> ParseRequestPriority(std::string_view name);
// That of a route: a config::Priority.
RequestPriority RequestPriorityOf(int config);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_REQUEST_PRIORITY_H_
