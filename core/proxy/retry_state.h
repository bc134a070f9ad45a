// RetryState: what a request has used of its tries, and whether it may have another. A member of
// the router.
//
// Two kinds of failure are repeated whatever the route says, once each and at once: a connect that
// failed, at another endpoint that is usable, and a request that met a reused connection which was
// being closed (RFC 9112 9.3.1). Neither costs the cluster's budget: nothing of the request was
// dealt with, and where all is down no endpoint is usable any more. Everything else is the route's
// policy (RouteRetries), within its attempts, the route's time, and the cluster's budget.
#ifndef SLUICE_CORE_PROXY_RETRY_STATE_H_
#define SLUICE_CORE_PROXY_RETRY_STATE_H_

#include <cstdint>
#include <optional>

#include "core/base/back_off.h"
#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/http/message.h"
#include "core/proxy/upstream_try.h"

namespace sluice {

struct RouteRetries;

class RetryState {
 public:
  // The longest Retry-After that is waited for.
  static constexpr Nanos kMostAsked = 60 * kSecond;

  // What a decision is made of, besides the try.
  struct Situation {
    const RequestHead& request;
    WorkerCluster& cluster;
    bool body_kept;   // all of the body that has come can be sent again
    Nanos time_left;  // of the route's timeout
    Nanos wall;       // nanoseconds since the epoch
    Random& random;
    RequestPriority priority;
  };
  // Another try: after `wait`, 0 for at once.
  struct Again {
    Nanos wait = 0;
    bool fresh_only = false;  // on no connection that served others
  };

  // Null: no policy.
  void set_policy(const RouteRetries* policy) { policy_ = policy; }

  // It ended without a response.
  std::optional<Again> AfterFailure(const UpstreamTry& attempt, const Error& error,
                                    const Situation& situation);
  std::optional<Again> AfterTimeout(const Situation& situation);
  // Nothing of the response has been passed on.
  std::optional<Again> AfterResponse(const ResponseHead& response, const Situation& situation);

  // Does the policy name this response?
  bool IsRepeated(const ResponseHead& response, const RequestHead& request) const;

  // As far as the cluster bears it; counts why not. A hedge asks for nothing else.
  bool TakeOneMore(const Situation& situation);

  // No try is to follow: the permit of the last one is given back.
  void Settle() { permit_.Give(); }

  bool has_policy() const { return policy_ != nullptr; }
  // Has another try been refused because there were enough?
  bool exhausted() const { return exhausted_; }
  // May what is sent of the body now still be needed? `reused`: the try's connection is.
  bool KeepsBody(bool reused) const;

 private:
  bool IsStale(const UpstreamTry& attempt, const Error& error, const Situation& situation) const;
  // Takes one of the policy's retries, or counts why not.
  std::optional<Again> Take(const Situation& situation, Nanos asked);

  const RouteRetries* policy_ = nullptr;
  BackOff back_off_;
  LimitPermit permit_;    // of a request that is tried again, until it is over
  uint32_t retries_ = 0;  // of the policy
  bool connect_retried_ = false;
  bool stale_retried_ = false;
  bool exhausted_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_RETRY_STATE_H_
