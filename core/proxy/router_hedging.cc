// The router's second try beside the first one: when it begins, and which of the two goes on.
#include <utility>

#include "core/proxy/admission.h"
#include "core/proxy/router.h"

namespace sluice {
namespace {

// The views stay where they are: in the buffer that `bytes` keeps.
void CopyHead(const ResponseHead& from, ResponseHead& to) {
  to.status = from.status;
  to.protocol = from.protocol;
  to.reason = from.reason;
  to.content_length = from.content_length;
  to.bytes = from.bytes.Share();
  to.wire_size = from.wire_size;
  to.headers.Clear();
  from.headers.ForEach([&to](const Headers::Entry& entry) {
    to.headers.AddView(entry.name, entry.value, entry.id);
  });
}

}  // namespace

ResponseHead& Router::HeadOf(const UpstreamTry& attempt) {
  return &attempt == &first_ ? responder_.response_head() : hedge_->head();
}

void Router::ArmHedge() {
  const bool plain = head_->method() == Method::kGet || head_->method() == Method::kHead;
  if (!plain || request_has_body_ || !head_->upgrade.empty()) return;
  hedgeable_ = true;
  const Nanos delay = resilience_->hedge->Get(runtime_.worker.loop.now());
  if (delay == 0) return;
  hedge_ =
      responder_.stream_arena().Make<Hedge>(*this, responder_.stream_arena(), runtime_.worker.loop,
                                            delay, Callback::To<&Router::OnHedgeDue>(this));
}

void Router::OnHedgeDue() {
  if (response_started_ || !try_->under_way()) return;
  EndpointChoice other = choice_;
  other.Avoid(*try_->endpoint());
  UpstreamTry& attempt = hedge_->attempt();
  StreamInfo& info = responder_.stream_info();
  const Admission admission =
      Admit(attempt, *cluster_, route_breaker(), other, *head_, info, runtime_, true);
  if (!admission || *admission == try_->endpoint()) return attempt.Stop();
  if (!retries_.TakeOneMore(SituationNow())) return attempt.Stop();
  choice_ = other;
  hedging_ = true;
  cluster_->stats().hedges.Inc();
  if (BeginAt(attempt, **admission, false)) return;
  LeavesToRival(attempt);
  attempt.Stop();
}

UpstreamTry* Router::RivalOf(const UpstreamTry& attempt) {
  if (hedge_ == nullptr) return nullptr;
  UpstreamTry& rival = &attempt == &first_ ? hedge_->attempt() : first_;
  return rival.under_way() ? &rival : nullptr;
}

bool Router::LeavesToRival(const UpstreamTry& attempt) {
  UpstreamTry* const rival = RivalOf(attempt);
  if (rival == nullptr) return false;
  choice_.Avoid(*attempt.endpoint());
  try_ = rival;
  return true;
}

bool Router::OutrunsRival(UpstreamTry& attempt) {
  if (hedge_ == nullptr) return true;
  ResponseHead& head = HeadOf(attempt);
  if (UpstreamTry* const rival = RivalOf(attempt); rival != nullptr) {
    if (head.status >= 500 || retries_.IsRepeated(head, *head_)) {
      attempt.Discard();
      LeavesToRival(attempt);
      return false;
    }
    rival->Stop();
  }
  hedge_->Cancel();
  try_ = &attempt;
  StreamInfo& info = responder_.stream_info();
  info.upstream_host = responder_.stream_arena().Copy(attempt.endpoint()->text);
  info.upstream_connection_id = attempt.request().connection_id();
  if (&attempt != &first_) CopyHead(head, responder_.response_head());
  return true;
}

// What is passed on was begun by the first try: a retry says nothing of how long that would have
// taken, nor does an answer that is bad. Where the second try won, the first one would have taken
// longer still; without these the share would sink from window to window.
void Router::CountHedge(const UpstreamTry& attempt) {
  const StreamInfo& info = responder_.stream_info();
  if (hedging_ && &attempt != &first_) cluster_->stats().hedges_won.Inc();
  const bool first_round = info.attempts == (hedging_ ? 2 : 1) && next_fallback_ == 0;
  if (!hedgeable_ || !first_round || responder_.response_head().status >= 500) return;
  const Nanos now = runtime_.worker.loop.now();
  resilience_->hedge->Add(now - info.upstream_start, now);
}

}  // namespace sluice
