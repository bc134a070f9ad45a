// What came of a try, held against the route's conditions for another: config::Retries::Condition.
// Pure functions.
#ifndef SLUICE_CORE_PROXY_RETRY_RULES_H_
#define SLUICE_CORE_PROXY_RETRY_RULES_H_

#include <cstdint>

#include "core/http/message.h"

namespace sluice {

struct RouteRetries;

// How a try ended without a response.
enum class TryFailure : uint8_t {
  kConnect,        // there was no connection
  kRefused,        // the peer said that it did not look at the request
  kBeforeRequest,  // nothing of the request had left
  kNoResponse,     // it may have been acted upon
};

// RFC 9110 9.2.2, or by the client's own word: an Idempotency-Key.
bool IsIdempotent(const RequestHead& request);

bool RetriesFailure(const RouteRetries& retries, TryFailure failure, const RequestHead& request);
bool RetriesResponse(const RouteRetries& retries, const ResponseHead& response,
                     const RequestHead& request);

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_RETRY_RULES_H_
