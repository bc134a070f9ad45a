// TryOutcome: how a try of a request ended at its endpoint: what balancers, outlier detection and
// breakers count.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_TRY_OUTCOME_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_TRY_OUTCOME_H_

#include <cstdint>

namespace sluice {

enum class TryOutcome : uint8_t {
  kAnswered,      // with a status below 500
  kServerError,   // 5xx
  kNotConnected,  // no connection could be had
  kReset,         // the connection ended, or broke the protocol, before the response was whole
  kTimedOut,      // ours, of the try or of the route
  kCancelled,     // the client went, or a filter answered: it says nothing of the endpoint
};

constexpr bool IsFailure(TryOutcome outcome) {
  return outcome != TryOutcome::kAnswered && outcome != TryOutcome::kCancelled;
}

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_TRY_OUTCOME_H_
