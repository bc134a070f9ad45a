#include "core/proxy/upstream_try.h"

#include <algorithm>
#include <utility>

#include "core/base/strings.h"
#include "core/proxy/router.h"

namespace sluice {
namespace {

bool IsEventStream(const Headers& headers) {
  constexpr std::string_view kType = "text/event-stream";
  const auto type = headers.Get(HeaderId::kContentType);
  return type && EqualsIgnoreCase(type->substr(0, kType.size()), kType);
}

}  // namespace

UpstreamTry::UpstreamTry(Router& router, Loop& loop)
    : router_(router),
      loop_(loop),
      breakers_(loop),
      request_(*this),
      timer_(loop, Callback::To<&UpstreamTry::OnTimeout>(this)) {}

void UpstreamTry::Begin(WorkerCluster& cluster, WorkerEndpoint& endpoint) {
  cluster_ = &cluster;
  endpoint_ = &endpoint;
  head_sent_ = discarded_ = false;
  status_ = 0;
  dropped_ = 0;
  started_ = loop_.now();
  cluster.stats().requests.Inc();
  endpoint.stats.requests.Inc();
  cluster.stats().requests_active.Add();
  counted_ = true;
  judged_ = false;
  meter_.Begin(cluster, endpoint);
}

void UpstreamTry::Stop(TryOutcome outcome) {
  timer_.Cancel();
  // What waits for our own limit says nothing of the endpoint.
  if (request_.waits_for_room()) outcome = TryOutcome::kCancelled;
  request_.Cancel();
  Count(outcome);
  breakers_.Cancel();
  in_flight_.Give();
  pending_.Give();
}

bool UpstreamTry::TakeRequest(WorkerCluster& cluster, RequestPriority priority) {
  const ClusterLimits& limits = cluster.limits();
  return in_flight_.Take(limits.requests, limits.Of(priority).requests);
}

bool UpstreamTry::TakePending(RequestPriority priority) {
  const ClusterLimits& limits = cluster_->limits();
  return pending_.Take(limits.pending, limits.Of(priority).pending);
}

void UpstreamTry::Discard() {
  discarded_ = true;
  JudgeByHead();
}

void UpstreamTry::Count(TryOutcome outcome) {
  if (!std::exchange(counted_, false)) return;
  ClusterStats& stats = cluster_->stats();
  stats.requests_active.Sub();
  // So that requests are the sum of responses, however a try ends.
  if (status_ == 0) stats.responses[0].Inc();
  stats.request_duration.Record(static_cast<uint64_t>((loop_.now() - started_) / kMicrosecond));
  Judge(outcome);
  meter_.End();
  in_flight_.Give();
}

void UpstreamTry::Judge(TryOutcome outcome) {
  if (std::exchange(judged_, true)) return;
  timer_.Cancel();
  const Nanos now = loop_.now();
  const TryOutcome verdict = VerdictOf(outcome, status_, now - answered_);
  if (IsFailure(verdict)) endpoint_->stats.failures.Inc();
  meter_.Judge(verdict, Latency(), now);
  breakers_.End(verdict, Latency());
}

Nanos UpstreamTry::Latency() const {
  const Nanos sent = router_.request_sent_at();
  return sent == 0 ? 0 : loop_.now() - std::max(started_, sent);
}

void UpstreamTry::OnTimeout() {
  if (responded()) return JudgeByHead();
  cluster_->stats().per_try_timeouts.Inc();
  router_.OnTryTimeout(*this);
}

void UpstreamTry::OnUpstreamReady() {
  pending_.Give();
  router_.OnTryReady(*this);
}

ResponseHead& UpstreamTry::OnUpstreamBegin() { return router_.OnTryBegin(*this); }

void UpstreamTry::OnUpstreamInformational() {
  if (!discarded_) router_.OnTryInformational(*this);
}

void UpstreamTry::OnUpstreamHead(bool end) {
  timer_.Cancel();
  const ResponseHead& head = router_.HeadOf(*this);
  status_ = head.status;
  cluster_->stats().responses[status_ / 100 < 6 ? status_ / 100 : 5].Inc();
  const Nanos now = loop_.now();
  answered_ = now;
  const Nanos sent = std::max(started_, router_.request_sent_at());
  meter_.OnHead(status_, head.headers, now - sent, now);
  breakers_.OnHead(status_, head.headers, now - sent);
  if (status_ >= 500) {
    JudgeByHead();
  } else if (!end && (breakers_.waits() || meter_.waits())) {
    IsEventStream(head.headers) ? JudgeByHead() : timer_.Start(kBodyCounts);
  }
  router_.OnTryHead(*this, end);
}

void UpstreamTry::OnUpstreamBody(Slice data) {
  if (!discarded_) return router_.OnTryBody(*this, std::move(data));
  dropped_ += data.size();
  if (dropped_ > kMostDiscarded) return Stop();
  request_.Consumed(data.size());
}

void UpstreamTry::OnUpstreamTrailers(Headers& trailers) {
  meter_.OnTrailers(trailers, loop_.now());
  breakers_.OnTrailers(trailers);
  if (!discarded_) router_.OnTryTrailers(*this, trailers);
}

void UpstreamTry::OnUpstreamEnd() {
  if (request_.tunnel()) return router_.OnTryEnd(*this);
  Count(TryOutcome::kAnswered);
  if (!discarded_) router_.OnTryEnd(*this);
}

void UpstreamTry::OnUpstreamFailed(const Error& error) {
  timer_.Cancel();
  pending_.Give();
  Count(OutcomeOf(error, head_sent_));
  if (!discarded_) router_.OnTryFailed(*this, error);
}

void UpstreamTry::OnUpstreamWritable() {
  if (!discarded_) router_.OnTryWritable(*this);
}

}  // namespace sluice
