#include "core/upstream/request_priority.h"

#include <iterator>

#include "core/base/strings.h"
#include "core/config/bulkhead.pb.h"

namespace sluice {
namespace {

constexpr std::string_view kNames[] = {"low", "normal", "high", "critical"};
static_assert(std::size(kNames) == kRequestPriorities);

}  // namespace

std::string_view RequestPriorityName(RequestPriority priority) {
  return kNames[static_cast<size_t>(priority)];
}

std::optional<RequestPriority> ParseRequestPriority(std::string_view name) {
  for (size_t i = 0; i < kRequestPriorities; ++i) {
    if (EqualsIgnoreCase(kNames[i], name)) return static_cast<RequestPriority>(i);
  }
  return std::nullopt;
}

RequestPriority RequestPriorityOf(int config) {
  switch (config) {
    case config::LOW:
      return RequestPriority::kLow;
    case config::HIGH:
      return RequestPriority::kHigh;
    case config::CRITICAL:
      return RequestPriority::kCritical;
    default:
      return RequestPriority::kNormal;
  }
}

}  // namespace sluice
