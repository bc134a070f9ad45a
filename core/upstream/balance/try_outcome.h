// TryOutcome: how a try of a request ended at its endpoint: what balancers, outlier detection and
// breakers count.
//
// Each try is judged once, and by all of them alike:
// - A head that says 5xx decides, at once.
// - After any other head it counts for kBodyCounts what becomes of the body: its end says that it
//   went well, a break by the endpoint or a time-out of ours is a failure.
// - What goes on for longer is judged by its head then, and nothing that happens later changes it:
//   that a download or a long poll is broken off says more of deployments and of the network than
//   of how requests fare. So successes of long responses count when they begin to be served, as
//   failures do, and probes of a breaker wait for no stream.
// - Tunnels and event streams, whose heads say that no end is near, are judged by them at once.
// - A client that goes has no say: its try is judged by the head, if there was one, else not at
// all.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_TRY_OUTCOME_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_TRY_OUTCOME_H_

#include <cstdint>

#include "core/base/clock.h"
#include "core/base/result.h"

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

// Of a try that failed; `sent`: a connection was there, and the head was given to it. What our side
// lacked, such as fds, says nothing of the endpoint.
inline TryOutcome OutcomeOf(const Error& error, bool sent) {
  if (sent) return TryOutcome::kReset;
  return error.side == Side::kInternal ? TryOutcome::kCancelled : TryOutcome::kNotConnected;
}

// How long after the response's head it counts how the response goes on.
inline constexpr Nanos kBodyCounts = kSecond;

// What a try is to be judged as that ended as `outcome`, or goes on still: `after_head` after its
// head, which had this status. `status` 0: there was no head.
constexpr TryOutcome VerdictOf(TryOutcome outcome, uint16_t status, Nanos after_head) {
  if (status == 0 || (IsFailure(outcome) && status < 500 && after_head < kBodyCounts)) {
    return outcome;
  }
  return status >= 500 ? TryOutcome::kServerError : TryOutcome::kAnswered;
}

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_TRY_OUTCOME_H_
