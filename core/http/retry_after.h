// Retry-After (RFC 9110 10.2.3).
#ifndef SLUICE_CORE_HTTP_RETRY_AFTER_H_
#define SLUICE_CORE_HTTP_RETRY_AFTER_H_

#include <optional>

#include "core/base/clock.h"
#include "core/http/headers.h"

namespace sluice {

// How long the response asks to wait, in seconds or as a date, which is compared with the
// response's own Date, or else with `wall`, nanoseconds since the epoch; at most a day. Nothing if
// it does not say, or nothing that can be understood.
std::optional<Nanos> RetryAfter(const Headers& headers, Nanos wall);

}  // namespace sluice

#endif  // SLUICE_CORE_HTTP_RETRY_AFTER_H_
