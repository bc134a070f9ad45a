// The router's way back: the response, and tunnels.
#include <utility>

#include "core/base/strings.h"
#include "core/proxy/router.h"

namespace sluice {

ResponseHead& Router::OnTryBegin(UpstreamTry& attempt) {
  ResponseHead& head = HeadOf(attempt);
  head.headers.Clear();
  return head;
}

void Router::OnTryInformational(UpstreamTry& attempt) {
  if (&attempt != &first_) return;  // the first one's are enough
  const ResponseHead& head = responder_.response_head();
  // 100 is between us and the upstream: we ask for it by nothing, and answer it ourselves.
  if (head.status != 100) responder_.SendInformational(head.status, head.headers);
}

void Router::OnTryHead(UpstreamTry& attempt, bool end) {
  if (resilience_ != nullptr && !OutrunsRival(attempt)) return;
  StreamInfo& info = responder_.stream_info();
  ResponseHead& head = responder_.response_head();
  const bool connected = head_->method() == Method::kConnect && head.status / 100 == 2;
  const bool switches = connected || head.status == 101;
  if (retries_.has_policy()) [[unlikely]] {
    if (const auto again = retries_.AfterResponse(head, SituationNow())) {
      choice_.Avoid(*attempt.endpoint());
      retried_status_ = head.status;
      if (request_end_ && !switches) {
        TakeResponse(attempt);
        held_ = true;
      } else {
        Drop(attempt);
      }
      return back_off_timer_.Start(again->wait);
    }
    if (retries_.exhausted()) info.flags.Set(ResponseFlag::kUpstreamRetryLimitExceeded);
  }
  if (FallsBack(head.status)) return;
  if (pass_ != nullptr) pass_->OnAnswered(head.status, info.upstream_end);
  if (resilience_ != nullptr) CountHedge(attempt);
  TakeResponse(attempt);
  response_end_ = end;
  PassOn();
  if (switches) {
    if (!connected && !IsUpgradeAskedFor()) {
      return Fail({.status = 502,
                   .flag = ResponseFlag::kUpstreamProtocolError,
                   .details = "upgrade_not_asked_for",
                   .body = "bad gateway\n",
                   .outcome = TryOutcome::kReset});
    }
    tunnel_ = true;
    attempt.JudgeByHead();
    request_end_ = false;      // another is to come
    pull_outstanding_ = true;  // the responder does, as soon as the tunnel stands
    route_timer_.Cancel();
    try_->request().Tunnel();
    responder_.StartResponse(false);
    responder_.Tunnel();
    return;
  }
  if (!end) responder_.StartResponse(false);  // else OnTryEnd, which follows at once
}

void Router::TakeResponse(const UpstreamTry& attempt) {
  StreamInfo& info = responder_.stream_info();
  ResponseHead& head = responder_.response_head();
  info.response_start = runtime_.worker.loop.now();
  info.upstream_protocol = head.protocol;
  info.response_head_bytes = head.wire_size;
  choice_.AddCookies(*cluster_, *attempt.endpoint(), info, head);
}

void Router::PassOn() {
  StreamInfo& info = responder_.stream_info();
  ResponseHead& head = responder_.response_head();
  response_started_ = true;
  retries_.Settle();
  replay_.Clear();
  if (info.details.empty()) info.details = "via_upstream";
  if (info.attempts > 1) head.headers.Set(kAttemptCount, Decimal(info.attempts).view());
  if (!fallback_reason_.empty()) head.headers.Set(kFallback, fallback_reason_);
}

bool Router::FallsBack(uint16_t status) {
  return fallbacks() != nullptr && fallbacks()->looks_at_statuses() &&
         TakeFallback({.reason = FailReason::kStatus, .status = status, .details = "via_upstream"});
}

void Router::RefuseTry(Failure failure) {
  if (retried_status_ == 0) return Fail(std::move(failure));
  try_->Stop();  // gives back what it took
  responder_.stream_info().flags.Set(failure.flag);
  if (fallbacks() != nullptr && TakeFallback(failure)) return;
  if (FallsBack(retried_status_)) return;
  held_ ? PassHeld() : Fail(std::move(failure));
}

void Router::PassHeld() {
  held_ = false;
  route_timer_.Cancel();
  PassOn();
  const bool head_only = response_body_.empty() && response_trailers_ == nullptr;
  responder_.StartResponse(head_only);
  if (!head_only) runtime_.worker.loop.Defer(pump_task_);
}

void Router::DropHeld() {
  if (!std::exchange(held_, false)) return;
  StreamInfo& info = responder_.stream_info();
  info.response_start = info.response_end = 0;
  response_end_ = false;
  response_trailers_ = nullptr;
  response_body_.Clear();
}

// A 101 names what it switches to, and that is among what the client asked for and the route allows
// (RFC 9110 15.2.2, 7.8).
bool Router::IsUpgradeAskedFor() const {
  const std::string_view answered =
      responder_.response_head().headers.Get(HeaderId::kUpgrade).value_or(std::string_view());
  bool asked_for = false;
  ForEachListElement(answered, [&](std::string_view token) {
    asked_for = ListContains(head_->upgrade, token);
    return asked_for;
  });
  return asked_for;
}

void Router::OnTryBody(UpstreamTry& attempt, Slice data) {
  const size_t size = data.size();
  response_body_.Append(std::move(data));
  if (held_) [[unlikely]] {
    if (response_body_.size() <= kReplayLimit) return attempt.request().Consumed(size);
    DropHeld();
    return attempt.Stop();
  }
  runtime_.worker.loop.Defer(pump_task_);
}

void Router::OnTryTrailers(UpstreamTry&, Headers& trailers) { response_trailers_ = &trailers; }

void Router::OnTryEnd(UpstreamTry&) {
  StreamInfo& info = responder_.stream_info();
  info.response_end = runtime_.worker.loop.now();
  const bool head_only = response_end_;  // OnTryHead said so
  response_end_ = true;
  if (held_) return;
  if (!tunnel_) route_timer_.Cancel();
  if (head_only) return responder_.StartResponse(true);
  runtime_.worker.loop.Defer(pump_task_);
}

void Router::Pump() {
  if (stopped_ || !response_started_ || response_passed_) return;
  if (!response_body_.empty() || response_end_) {
    if (!responder_.response_wanted()) {
      // It waits here, and the upstream's socket fills.
      return try_->request().SetReading(false);
    }
    const size_t bytes = response_body_.size();
    const bool end = response_end_;
    responder_.SendBody(std::move(response_body_), end, end ? response_trailers_ : nullptr);
    if (stopped_) return;
    if (end) {
      response_passed_ = true;
      return EndTunnelIfOver();
    }
    try_->request().Consumed(bytes);
  }
  if (!try_->request().ready()) return;
  try_->request().SetReading(responder_.response_wanted());
}

void Router::OnResponseWanted() { Pump(); }

void Router::OnTryWritable(UpstreamTry&) {
  PullMore();
  EndTunnelIfOver();
}

void Router::EndTunnelIfOver() {
  if (!tunnel_ || !response_passed_) return;
  // Where nothing more can be sent, what the client still says is lost: its end is not awaited.
  const UpstreamRequest& request = try_->request();
  if (!request.cannot_send() && (!request_end_ || !request.all_sent())) return;
  Stop();
  responder_.EndTunnel();
}

// The response broke off, or a tunnel did.
void Router::OnResponseCut(const Error& error) {
  StreamInfo& info = responder_.stream_info();
  if (tunnel_ && response_end_) {
    // It had said all it had to say, and the client is to get that. What the client still says is
    // lost.
    info.flags.Set(ResponseFlag::kUpstreamConnectionTermination);
    return EndTunnelIfOver();
  }
  const bool protocol = error.code == Code::kProtocol;
  info.flags.Set(protocol ? ResponseFlag::kUpstreamProtocolError
                          : ResponseFlag::kUpstreamConnectionTermination);
  info.details =
      responder_.stream_arena().Join({"upstream_reset_after_response_started{", error.detail, "}"});
  Error cut = error;
  cut.detail = info.details;
  Stop();
  responder_.AbortResponse(std::move(cut));
}

}  // namespace sluice
