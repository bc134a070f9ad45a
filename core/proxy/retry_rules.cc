#include "core/proxy/retry_rules.h"

#include <algorithm>
#include <initializer_list>

#include "core/base/strings.h"
#include "core/config/route.pb.h"
#include "core/config/route_retries.h"

namespace sluice {
namespace {

using config::Retries;

constexpr RetryConditions Bits(std::initializer_list<int> conditions) {
  RetryConditions bits = 0;
  for (const int condition : conditions) bits |= RetryBit(condition);
  return bits;
}

// Those that every try without a response meets.
constexpr RetryConditions kAnyFailure =
    Bits({Retries::RESET, Retries::GATEWAY_ERROR, Retries::FIVE_XX});

constexpr RetryConditions kFailures[] = {
    kAnyFailure | Bits({Retries::CONNECT_FAILURE, Retries::RESET_BEFORE_REQUEST}),
    kAnyFailure | Bits({Retries::REFUSED_STREAM, Retries::RESET_BEFORE_REQUEST}),
    kAnyFailure | Bits({Retries::RESET_BEFORE_REQUEST}),
    kAnyFailure,
};

constexpr RetryConditions kGrpc =
    Bits({Retries::CANCELLED, Retries::DEADLINE_EXCEEDED, Retries::INTERNAL,
          Retries::RESOURCE_EXHAUSTED, Retries::UNAVAILABLE});

// The conditions that `status` meets.
RetryConditions ConditionsOf(uint16_t status) {
  RetryConditions bits = 0;
  if (status >= 500) bits |= Bits({Retries::FIVE_XX});
  if (status >= 502 && status <= 504) bits |= Bits({Retries::GATEWAY_ERROR, Retries::IDEMPOTENT});
  if (status == 409) bits |= Bits({Retries::RETRIABLE_4XX});
  if (status == 429) bits |= Bits({Retries::RATELIMITED});
  return bits;
}

// Of a response that is a head only, as gRPC sends errors. The codes are those of
// grpc/doc/statuscodes.md.
RetryConditions ConditionsOfGrpc(const Headers& headers) {
  struct Code {
    std::string_view text;
    int condition;
  };
  constexpr Code kCodes[] = {{"1", Retries::CANCELLED},
                             {"4", Retries::DEADLINE_EXCEEDED},
                             {"8", Retries::RESOURCE_EXHAUSTED},
                             {"13", Retries::INTERNAL},
                             {"14", Retries::UNAVAILABLE}};
  const std::string_view status = headers.Get("grpc-status").value_or(std::string_view());
  for (const Code& code : kCodes) {
    if (code.text == status) return RetryBit(code.condition);
  }
  return 0;
}

bool MeetsAny(const RouteRetries& retries, const ResponseHead& response,
              const RequestHead& request) {
  const Headers& headers = response.headers;
  RetryConditions met = retries.on & ConditionsOf(response.status);
  if (!IsIdempotent(request)) met &= ~RetryBit(Retries::IDEMPOTENT);
  if (met != 0) return true;
  if (retries.HasStatus(response.status)) return true;
  if ((retries.on & kGrpc) != 0 && (retries.on & ConditionsOfGrpc(headers)) != 0) return true;
  return std::any_of(
      retries.headers.begin(), retries.headers.end(),
      [&headers](const RouteValueTest& test) { return test.Holds(headers.Get(test.name())); });
}

}  // namespace

bool IsIdempotent(const RequestHead& request) {
  return IsIdempotent(request.method()) || request.headers.Has(HeaderId::kIdempotencyKey);
}

bool RetriesFailure(const RouteRetries& retries, TryFailure failure, const RequestHead& request) {
  if ((retries.on & kFailures[static_cast<size_t>(failure)]) != 0) return true;
  return retries.Has(Retries::IDEMPOTENT) && IsIdempotent(request);
}

bool RetriesResponse(const RouteRetries& retries, const ResponseHead& response,
                     const RequestHead& request) {
  if (!MeetsAny(retries, response, request)) return false;
  return retries.Has(Retries::RATELIMITED) || !response.headers.Has("x-sluice-ratelimited");
}

}  // namespace sluice
