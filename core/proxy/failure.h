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

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_FAILURE_H_
