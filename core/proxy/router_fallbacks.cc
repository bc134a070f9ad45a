// How the router ends a request that no upstream answers: by a fallback of the route, or by us.
#include <utility>

#include "core/base/strings.h"
#include "core/proxy/router.h"

namespace sluice {

void Router::Fail(Failure failure) {
  if (fallbacks() != nullptr && TakeFallback(failure)) return;
  LocalReply reply;
  reply.status = failure.status;
  reply.flag = failure.flag;
  reply.details = failure.details;
  reply.body = failure.body;
  reply.headers = std::move(failure.headers);
  Answer(std::move(reply), failure);
}

// With an answer of our own.
void Router::Answer(LocalReply reply, const Failure& failure) {
  const uint32_t attempts = responder_.stream_info().attempts;
  if (attempts > 1) reply.headers.emplace_back(kAttemptCount, Decimal(attempts).view());
  // What the upstream answered is not wanted; we are under its codec.
  const bool dropped = failure.reason == FailReason::kStatus;
  if (dropped) Drop(*try_);
  Stop(failure.outcome, dropped ? try_ : nullptr);
  responder_.Reply(std::move(reply));
}

bool Router::TakeFallback(const Failure& failure) {
  const RouteFallbacks& all = *fallbacks();
  while (true) {
    const size_t found = all.Find(next_fallback_, failure.reason, failure.status);
    if (found == all.size()) return false;
    next_fallback_ = static_cast<uint32_t>(found + 1);
    const RouteFallbacks::Entry& entry = all.entry(found);
    WorkerCluster* cluster = nullptr;
    if (entry.cluster != kNoCluster) {
      if (request_has_body_ && !replay_whole_) continue;
      cluster = runtime_.generation.cluster(entry.cluster);
      if (cluster == nullptr) continue;
    }
    const auto reason = static_cast<size_t>(failure.reason);
    // First: the cluster may fail at once, which is the next fallback's reason.
    fallback_reason_ = kFallbackReasonNames[reason];
    runtime_.stats.fallbacks[reason].Inc();
    DropHeld();
    cluster == nullptr ? AnswerWith(entry, failure) : GoTo(*cluster, failure);
    return true;
  }
}

void Router::AnswerWith(const RouteFallbacks::Entry& entry, const Failure& failure) {
  StreamInfo& info = responder_.stream_info();
  info.flags.Set(failure.flag);
  info.status = failure.status;  // for %status%
  LocalReply reply = entry.Reply(info);
  info.status = 0;
  reply.flag = failure.flag;
  reply.details = failure.details;
  reply.headers.emplace_back(kFallback, fallback_reason_);
  Answer(std::move(reply), failure);
}

void Router::GoTo(WorkerCluster& cluster, const Failure& failure) {
  StreamInfo& info = responder_.stream_info();
  info.details = responder_.stream_arena().Join({"fallback{", failure.details, "}"});
  // No try is to follow any more that the cluster before was to get.
  back_off_timer_.Cancel();
  cluster_changes_ = false;
  retried_status_ = 0;
  cluster_ = &cluster;
  choice_ = EndpointChoice::OfFallback();
  retries_ = RetryState();  // it is asked once
  if (!begun_) return Begin();
  // What is left of the route's time is the fallback's. If that ran out, it has as long again.
  RunRouteTimer();
  if (hedge_ != nullptr) {
    hedge_->Cancel();
    (try_ == &first_ ? hedge_->attempt() : first_).Stop(failure.outcome);
  }
  if (failure.reason == FailReason::kStatus) {
    // We are under its codec.
    Drop(*try_);
    cluster_changes_ = true;
    return back_off_timer_.Start(0);
  }
  try_->Stop(failure.outcome);
  UseCluster();
}

void Router::Drop(UpstreamTry& attempt) {
  // Where the request is not all sent, the connection is of no use any more.
  request_end_ ? attempt.Discard() : attempt.Stop();
}

}  // namespace sluice
