// RequestPriority: how important a request is: who is let in where there is no room for all, and
// who is given up last.
#ifndef SLUICE_CORE_UPSTREAM_REQUEST_PRIORITY_H_
#define SLUICE_CORE_UPSTREAM_REQUEST_PRIORITY_H_

#include <cstddef>
#include <cstdint>

namespace sluice {

enum class RequestPriority : uint8_t { kLow, kNormal, kHigh, kCritical };

inline constexpr size_t kRequestPriorities = 4;

// Such requests may use what is reserved, and have the `high` limits.
constexpr bool IsHigh(RequestPriority priority) { return priority >= RequestPriority::kHigh; }

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_REQUEST_PRIORITY_H_
