// Failure: why a request came to nothing before a response began, and the answer that the client is
// given for it, unless the route has a fallback.
#ifndef SLUICE_CORE_PROXY_FAILURE_H_
#define SLUICE_CORE_PROXY_FAILURE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/filter/response_flags.h"
#include "core/upstream/balance/try_outcome.h"

namespace sluice {

class Random;

// What fallbacks stand in for; the first ones are those of config::Fallback::Reason, by number.
enum class FailReason : uint8_t {
  kBreakerOpen,
  kNoEndpoint,
  kTimeout,
  kFailure,
  kLimit,
  kStatus,  // the upstream's
  kOther,   // no fallback stands in for it
};

inline constexpr size_t kFallbackReasons = 6;

// As in the configuration.
inline constexpr std::string_view kFallbackReasonNames[kFallbackReasons] = {
    "breaker_open", "no_endpoint", "timeout", "failure", "limit", "status"};

struct Failure {
  FailReason reason = FailReason::kOther;
  uint16_t status = 500;
  ResponseFlag flag = ResponseFlag::kNone;
  std::string_view details = {};
  std::string_view body = {};
  // Of the try under way, if there is one.
  TryOutcome outcome = TryOutcome::kCancelled;
  // Further fields of the answer: name, value.
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// What a request is answered that finds no room: 503, x-sluice-overloaded, and when to come again
// (RFC 9110 10.2.3).
Failure OverloadFailure(FailReason reason, ResponseFlag flag, std::string_view details,
                        std::string_view body, uint64_t retry_after_seconds);
// The same where nobody knows when there is room: in 1 to 3 s, so that they do not all come at
// once.
Failure OverloadFailure(ResponseFlag flag, std::string_view details, Random& random);

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_FAILURE_H_
