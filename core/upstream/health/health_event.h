// What those are told who want to know of active checks.
#ifndef SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_EVENT_H_
#define SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_EVENT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace sluice {

// One check that was made.
struct HealthEvent {
  std::string_view endpoint;  // its text
  bool success = false;
  std::string_view reason;  // of a failure
  uint32_t in_a_row = 0;    // results like this one, with it
  bool healthy = false;     // what the endpoint is taken for now
  bool changed = false;     // and was not before
  bool first = false;       // nothing was known of it before
  Nanos at = 0;             // of the monotonic clock
};
using HealthSubscriber = std::function<void(const HealthEvent&)>;

// The last check that was made of an endpoint, for people.
struct LastCheck {
  bool success = false;
  std::string reason;  // of a failure
  Nanos ago = 0;       // since it ended
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_EVENT_H_
