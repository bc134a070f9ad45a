#include "core/proxy/retry_state.h"

#include <algorithm>

#include "core/config/route_retries.h"
#include "core/http/retry_after.h"
#include "core/proxy/retry_rules.h"

namespace sluice {

std::optional<RetryState::Again> RetryState::AfterFailure(const UpstreamTry& attempt,
                                                          const Error& error,
                                                          const Situation& situation) {
  ClusterStats& stats = situation.cluster.stats();
  TryFailure failure = TryFailure::kNoResponse;
  if (!attempt.head_sent()) {
    failure = TryFailure::kConnect;
    if (!connect_retried_ && situation.cluster.HasAnother(*attempt.endpoint())) {
      connect_retried_ = true;
      stats.connect_retries.Inc();
      return Again{};
    }
  } else if (error.retry == Retry::kSafe) {
    failure = TryFailure::kRefused;
  } else {
    if (IsStale(attempt, error, situation)) {
      stale_retried_ = true;
      stats.stale_retries.Inc();
      return Again{0, true};
    }
    if (!attempt.request().sent_any()) failure = TryFailure::kBeforeRequest;
  }
  if (policy_ == nullptr || !RetriesFailure(*policy_, failure, situation.request)) {
    return std::nullopt;
  }
  return Take(situation, 0);
}

bool RetryState::IsStale(const UpstreamTry& attempt, const Error& error,
                         const Situation& situation) const {
  if (error.retry != Retry::kIfReused || !attempt.request().reused() || stale_retried_) {
    return false;
  }
  return situation.body_kept && (!attempt.request().sent_any() || IsIdempotent(situation.request));
}

std::optional<RetryState::Again> RetryState::AfterTimeout(const Situation& situation) {
  if (policy_ == nullptr || !RetriesFailure(*policy_, TryFailure::kNoResponse, situation.request)) {
    return std::nullopt;
  }
  return Take(situation, 0);
}

std::optional<RetryState::Again> RetryState::AfterResponse(const ResponseHead& response,
                                                           const Situation& situation) {
  if (policy_ == nullptr) return std::nullopt;
  if (!IsRepeated(response, situation.request)) {
    if (retries_ > 0) situation.cluster.stats().retries_succeeded.Inc();
    return std::nullopt;
  }
  return Take(situation, RetryAfter(response.headers, situation.wall).value_or(0));
}

bool RetryState::IsRepeated(const ResponseHead& response, const RequestHead& request) const {
  return policy_ != nullptr && RetriesResponse(*policy_, response, request);
}

std::optional<RetryState::Again> RetryState::Take(const Situation& situation, Nanos asked) {
  ClusterStats& stats = situation.cluster.stats();
  if (retries_ + 1 >= policy_->attempts) {
    exhausted_ = true;
    stats.retries_refused[ClusterStats::kByAttempts].Inc();
    return std::nullopt;
  }
  if (!situation.body_kept) {
    stats.retries_refused[ClusterStats::kByBody].Inc();
    return std::nullopt;
  }
  const Nanos wait = std::max(asked, back_off_.Next(policy_->back_off, situation.random));
  if (asked > kMostAsked || wait >= situation.time_left) {
    stats.retries_refused[ClusterStats::kByTime].Inc();
    return std::nullopt;
  }
  if (!TakeOneMore(situation)) return std::nullopt;
  ++retries_;
  stats.retries.Inc();
  return Again{wait, false};
}

bool RetryState::TakeOneMore(const Situation& situation) {
  WorkerCluster& cluster = situation.cluster;
  ClusterStats& stats = cluster.stats();
  const ClusterLimits& limits = cluster.limits();
  if (!permit_.Take(limits.retries, limits.Of(situation.priority).retries)) {
    stats.overflow[static_cast<size_t>(ClusterLimit::kRetries)].Inc();
    stats.retries_refused[ClusterStats::kByLimit].Inc();
    return false;
  }
  if (cluster.TakeRetry()) return true;
  permit_.Give();
  stats.retries_refused[ClusterStats::kByBudget].Inc();
  return false;
}

bool RetryState::KeepsBody(bool reused) const {
  if (policy_ != nullptr && retries_ + 1 < policy_->attempts) return true;
  return reused && !stale_retried_;
}

}  // namespace sluice
