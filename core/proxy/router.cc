#include "core/proxy/router.h"

#include <algorithm>
#include <utility>

#include "core/base/strings.h"
#include "core/net/address.h"
#include "core/proxy/admission.h"
#include "core/proxy/head_route_input.h"

namespace sluice {

ArenaPtr<LastFilter> RouterFactory::Create(Responder& responder) {
  return ArenaPtr<LastFilter>(
      responder.stream_arena().Make<Router>(responder, *runtime_).release());
}

Router::Router(Responder& responder, ListenerRuntime& runtime)
    : responder_(responder),
      runtime_(runtime),
      first_(*this, runtime.worker.loop),
      try_(&first_),
      route_timer_(runtime.worker.loop, Callback::To<&Router::OnRouteTimeout>(this)),
      back_off_timer_(runtime.worker.loop, Callback::To<&Router::OnBackOffOver>(this)),
      pump_task_(Callback::To<&Router::Pump>(this)) {}

Router::~Router() { Stop(); }

void Router::Stop(TryOutcome outcome, const UpstreamTry* dropped) {
  if (std::exchange(stopped_, true)) return;
  route_timer_.Cancel();
  back_off_timer_.Cancel();
  pump_task_.Cancel();
  if (&first_ != dropped) first_.Stop(outcome);
  if (hedge_ != nullptr) {
    hedge_->Cancel();
    if (&hedge_->attempt() != dropped) hedge_->attempt().Stop(outcome);
  }
  if (pass_ != nullptr) pass_->Leave();
}

void Router::OnAbandoned() { Stop(); }

void Router::OnRequestHeaders(RequestHead& head, bool end) {
  head_ = &head;
  request_has_body_ = !end;
  request_end_ = end;
  StreamInfo& info = responder_.stream_info();
  const Route* route = info.route;
  if (route == nullptr) {
    runtime_.stats.no_route.Inc();
    return Fail({.status = 404,
                 .flag = ResponseFlag::kNoRouteFound,
                 .details = "route_not_found",
                 .body = "no route\n"});
  }
  if (head.method() == Method::kConnect && !route->AllowsUpgrade("connect")) {
    return Fail(
        {.status = 405, .details = "connect_not_allowed", .body = "CONNECT is not allowed\n"});
  }
  if (const RouteRedirect* redirect = route->redirect(); redirect != nullptr) {
    return Redirect(*route, head);
  }
  if (const RouteRespond* respond = route->respond(); respond != nullptr) {
    LocalReply reply;
    reply.status = respond->status;
    reply.body = respond->body;
    reply.content_type = respond->content_type;
    reply.details = "direct_response";
    reply.unmapped = true;
    Stop();
    return responder_.Reply(std::move(reply));
  }
  const RouteTarget target =
      route->Pick(HeadRouteInput(head, info.client_ip), runtime_.worker.random);
  info.route_choice = target.choice;
  cluster_ = target.cluster_index != kNoCluster ? runtime_.generation.cluster(target.cluster_index)
                                                : runtime_.generation.FindCluster(target.cluster);
  resilience_ = runtime_.resilience(route);
  retries_.set_policy(route->retries());
  if (cluster_ == nullptr) {
    return Fail({.reason = FailReason::kNoEndpoint,
                 .status = 503,
                 .flag = ResponseFlag::kNoClusterFound,
                 .details = "cluster_not_found",
                 .body = "no such cluster\n"});
  }
  Begin();
}

void Router::Begin() {
  begun_ = true;
  if (resilience_ != nullptr && resilience_->bulkhead != nullptr) {
    MakePass(resilience_->bulkhead.get());
  }
  ApplyRoute(*responder_.stream_info().route, *head_);
  RunRouteTimer();
  if (request_end_) RequestSent();
  UseCluster();
}

void Router::UseCluster() {
  responder_.stream_info().cluster = cluster_->settings().name;
  if (Enter()) Forward();
}

bool Router::Enter() {
  const StreamInfo& info = responder_.stream_info();
  if (info.priority == RequestPriority::kLow &&
      runtime_.worker.status.overloaded(OverloadStep::kShedLowPriority)) [[unlikely]] {
    if (!std::exchange(shed_, true)) runtime_.stats.requests_shed.Inc();
    Refuse("overload", ResponseFlag::kOverloadManager);
    return false;
  }
  if (pass_ == nullptr) {
    if (cluster_->bulkhead() == nullptr) return true;
    MakePass(nullptr);
  }
  const BulkheadPass::Answer answer = pass_->Enter(cluster_->bulkhead(), info);
  if (answer == BulkheadPass::Answer::kRefused) OnEntered();
  return answer == BulkheadPass::Answer::kPassed;
}

void Router::MakePass(Bulkhead* of_route) {
  pass_ = responder_.stream_arena().Make<BulkheadPass>(runtime_.worker.loop, of_route, *head_,
                                                       responder_.stream_info(),
                                                       Callback::To<&Router::OnEntered>(this));
}

void Router::OnEntered() {
  if (pass_->answer() == BulkheadPass::Answer::kPassed) return Forward();
  Refuse(pass_->refusal(), ResponseFlag::kUpstreamOverflow);
}

void Router::Refuse(std::string_view details, ResponseFlag flag) {
  Fail(OverloadFailure(flag, details, runtime_.worker.random));
}

void Router::Forward() {
  if (!std::exchange(mirrored_, true)) {
    mirror_.Start(*responder_.stream_info().route, runtime_, *head_, request_end_);
  }
  cluster_->OnRequest();
  StartTry(false);
}

void Router::Redirect(const Route& route, RequestHead& head) {
  LocalReply reply;
  reply.status = route.redirect()->status();
  reply.details = "direct_response";
  reply.unmapped = true;
  reply.headers.emplace_back("location", std::string(route.redirect()->Location(
                                             head.scheme, head.authority, head.path_only(),
                                             head.query(), responder_.stream_arena())));
  Stop();
  responder_.Reply(std::move(reply));
}

void Router::ApplyRoute(const Route& route, RequestHead& head) {
  StreamInfo& info = responder_.stream_info();
  if (const RouteRewrite* rewrite = route.rewrite(); rewrite != nullptr) {
    if (rewrite->changes_path()) {
      head.path = rewrite->Target(head.path_only(), head.query(), responder_.stream_arena());
    }
    if (!rewrite->host().empty()) {
      head.authority = rewrite->host();
      head.headers.SetView(HeaderId::kHost, rewrite->host());
    }
  }
  if (const RouteExtras::Changes* changes = runtime_.changes(&route); changes != nullptr) {
    for (const HeaderChanges* change : changes[info.route_choice].request) {
      change->Apply(head.headers, info);
    }
  }
}

void Router::StartTry(bool fresh_only) {
  StreamInfo& info = responder_.stream_info();
  hedging_ = false;
  Admission admission = Admit(*try_, *cluster_, route_breaker(), choice_, *head_, info, runtime_);
  if (!admission) return RefuseTry(std::move(admission.error()));
  WorkerEndpoint& endpoint = **admission;
  RunRouteTimer();
  const std::string_view host_before = info.upstream_host;
  const Nanos start_before = info.upstream_start;
  // The endpoint may be gone before the log is written.
  info.upstream_host = responder_.stream_arena().Copy(endpoint.text);
  info.upstream_start = runtime_.worker.loop.now();
  if (resilience_ != nullptr && resilience_->hedge != nullptr && info.attempts == 0 &&
      next_fallback_ == 0) {
    ArmHedge();
  }
  if (BeginAt(*try_, endpoint, fresh_only)) {
    retried_status_ = 0;
    return DropHeld();
  }
  cluster_->stats().overflow[static_cast<size_t>(ClusterLimit::kPending)].Inc();
  if (held_) {  // it is none of this endpoint
    info.upstream_host = host_before;
    info.upstream_start = start_before;
    --info.attempts;
  }
  RefuseTry(LimitFailure(ClusterLimit::kPending, info.arena(), runtime_.worker.random));
}

bool Router::BeginAt(UpstreamTry& attempt, WorkerEndpoint& endpoint, bool fresh_only) {
  StreamInfo& info = responder_.stream_info();
  ++info.attempts;
  attempt.Begin(*cluster_, endpoint);
  StartTryTimer(attempt);
  UpstreamRequest& request = attempt.request();
  if (!fresh_only && request.TryStart(endpoint.pool)) {
    SendRequest(attempt);
    return true;
  }
  if (!attempt.TakePending(info.priority)) return false;
  const ConnectionInfo& connection = info.connection();
  request.Start(endpoint.pool, &connection.remote, &connection.local, fresh_only, info.priority);
  return true;
}

void Router::OnTryReady(UpstreamTry& attempt) { SendRequest(attempt); }

void Router::SendRequest(UpstreamTry& attempt) {
  StreamInfo& info = responder_.stream_info();
  UpstreamRequest& request = attempt.request();
  info.pool_ready = runtime_.worker.loop.now();
  info.upstream_connection_id = request.connection_id();
  attempt.set_head_sent();
  if (info.attempts > 1) head_->headers.Set(kAttemptCount, Decimal(info.attempts).view());
  if (head_->authority.empty()) {
    // Of HTTP/1.0; the endpoint would refuse to be called by no name. In this try only.
    head_->authority = attempt.endpoint()->Authority(responder_.stream_arena());
    request.SendHead(*head_, !request_has_body_);
    head_->authority = {};
  } else {
    request.SendHead(*head_, !request_has_body_);
  }
  if (!request_has_body_) return;
  if (replay_.empty() && !request_end_) return PullMore();
  // What has come of the body so far. It is sent, and kept, as if it came now.
  Buffer data = std::move(replay_);
  KeepForReplay(data);
  SendBody(data, request_end_);
}

void Router::PullMore() {
  const UpstreamRequest& request = try_->request();
  if (request_end_ || !request.ready() || !request.writable()) return;
  HoldTimers();
  if (pull_outstanding_) return;
  pull_outstanding_ = true;
  responder_.PullRequestBody();
}

void Router::OnRequestBody(Buffer& data, bool end, Headers* trailers) {
  pull_outstanding_ = false;
  if (tunnel_ && !try_->request().ready()) return;  // nobody is there to take it any more
  request_end_ = end;
  request_trailers_ = trailers;
  if (mirror_.active()) mirror_.SendBody(data, end, trailers);
  if (end) RequestSent();
  if (!try_->request().ready() || !try_->under_way()) {  // SendRequest sends what is kept
    if (!stopped_) replay_.Append(std::move(data));
    return;
  }
  KeepForReplay(data);
  SendBody(data, end);
}

void Router::SendBody(Buffer& data, bool end) {
  if (try_->request().SendBody(data, end, request_trailers_)) {
    PullMore();
    return EndTunnelIfOver();
  }
  // The client's own framing was checked as it was read.
  constexpr std::string_view kDetails = "filter_broke_request_length";
  if (!response_started_) {
    return Fail({.status = 500,
                 .flag = ResponseFlag::kLocalReset,
                 .details = kDetails,
                 .body = "internal error\n"});
  }
  responder_.stream_info().flags.Set(ResponseFlag::kLocalReset);
  responder_.stream_info().details = kDetails;
  Stop();
  responder_.AbortResponse(
      Error{Code::kInternal, Side::kInternal, Retry::kNever, std::string(kDetails)});
}

void Router::KeepForReplay(const Buffer& data) {
  if (data.empty() || !replay_whole_) return;
  const bool of_use =
      !response_started_ && (retries_.KeepsBody(try_->request().reused()) ||
                             (fallbacks() != nullptr && fallbacks()->asks_clusters()));
  if (of_use && replay_.size() + data.size() <= kReplayLimit) {
    replay_.Append(data.Share());
    return;
  }
  replay_whole_ = false;
  replay_.Clear();
}

void Router::RequestSent() {
  StreamInfo& info = responder_.stream_info();
  if (info.request_end == 0) info.request_end = runtime_.worker.loop.now();
  info.upstream_end = runtime_.worker.loop.now();
  if (tunnel_ || response_end_) return;
  RunRouteTimer();
  if (!response_started_ && try_->under_way()) StartTryTimer(*try_);
}

void Router::RunRouteTimer() {
  const Nanos timeout = responder_.stream_info().route->timeout();
  if (timeout == 0 || route_timer_.pending()) return;
  route_timer_.Start(route_left_ > 0 ? route_left_ : timeout);
}

void Router::HoldTimers() {
  if (!try_->responded()) try_->CancelTimer();
  if (!route_timer_.pending()) return;
  route_left_ = std::max<Nanos>(route_timer_.deadline() - runtime_.worker.loop.now(), 1);
  route_timer_.Cancel();
}

void Router::StartTryTimer(UpstreamTry& attempt) {
  const Nanos timeout = responder_.stream_info().route->per_try_timeout();
  if (timeout > 0) attempt.StartTimer(timeout);
}

RetryState::Situation Router::SituationNow() {
  Loop& loop = runtime_.worker.loop;
  const Nanos whole = responder_.stream_info().route->timeout();
  const Nanos left = route_timer_.pending() ? route_timer_.deadline() - loop.now()
                     : route_left_ > 0      ? route_left_
                     : whole > 0            ? whole
                                            : Nanos{INT64_MAX};
  return {*head_,
          *cluster_,
          !request_has_body_ || replay_whole_,
          left,
          loop.wall(),
          runtime_.worker.random,
          responder_.stream_info().priority};
}

void Router::OnBackOffOver() {
  if (held_ && !response_end_) DropHeld();  // it is not known whether it will ever be whole
  try_->Stop();
  if (std::exchange(cluster_changes_, false)) return UseCluster();
  StartTry(false);
}

void Router::OnTryFailed(UpstreamTry& attempt, const Error& error) {
  StreamInfo& info = responder_.stream_info();
  info.upstream_failure = responder_.stream_arena().Copy(error.detail);
  if (response_started_) return OnResponseCut(error);
  if (held_) return DropHeld();
  if (LeavesToRival(attempt)) return;
  if (const auto again = retries_.AfterFailure(attempt, error, SituationNow())) {
    if (!again->fresh_only) choice_.Avoid(*attempt.endpoint());
    if (again->wait > 0) return back_off_timer_.Start(again->wait);
    return StartTry(again->fresh_only);
  }
  if (retries_.exhausted()) info.flags.Set(ResponseFlag::kUpstreamRetryLimitExceeded);
  FailBeforeResponse(error);
}

void Router::FailBeforeResponse(const Error& error) {
  Failure failure = {.reason = FailReason::kFailure, .status = 503};
  failure.details = responder_.stream_arena().Join(
      {"upstream_reset_before_response_started{", error.detail, "}"});
  const bool lost = error.code == Code::kReset || error.code == Code::kClosed ||
                    error.code == Code::kTimeout || error.code == Code::kIo ||
                    error.code == Code::kRefused;
  if (!try_->head_sent()) {
    failure.flag = ResponseFlag::kUpstreamConnectionFailure;
    failure.body = "upstream connect failure\n";
  } else if (lost) {
    failure.flag = ResponseFlag::kUpstreamConnectionTermination;
    failure.body = "upstream connection closed before the response\n";
  } else {
    failure.status = 502;
    failure.flag = ResponseFlag::kUpstreamProtocolError;
    failure.body = "bad response from upstream\n";
  }
  Fail(std::move(failure));
}

void Router::OnRouteTimeout() {
  route_left_ = 0;
  const bool queued = pass_ != nullptr && pass_->answer() == BulkheadPass::Answer::kWaits;
  if (cluster_ != nullptr && !queued) cluster_->stats().timeouts.Inc();
  TimeOut("upstream_response_timeout");
}

void Router::OnTryTimeout(UpstreamTry& attempt) {
  if (LeavesToRival(attempt)) return attempt.Stop(TryOutcome::kTimedOut);
  if (const auto again = retries_.AfterTimeout(SituationNow())) {
    choice_.Avoid(*attempt.endpoint());
    attempt.Stop(TryOutcome::kTimedOut);
    return back_off_timer_.Start(again->wait);
  }
  if (retries_.exhausted()) {
    responder_.stream_info().flags.Set(ResponseFlag::kUpstreamRetryLimitExceeded);
  }
  TimeOut("upstream_per_try_timeout");
}

void Router::TimeOut(std::string_view details) {
  if (!response_started_) {
    if (pass_ != nullptr) pass_->OnTimeout();
    return Fail({.reason = FailReason::kTimeout,
                 .status = 504,
                 .flag = ResponseFlag::kUpstreamRequestTimeout,
                 .details = details,
                 .body = "upstream timed out\n",
                 .outcome = TryOutcome::kTimedOut});
  }
  responder_.stream_info().flags.Set(ResponseFlag::kUpstreamRequestTimeout);
  responder_.stream_info().details = details;
  Stop(TryOutcome::kTimedOut);
  responder_.AbortResponse(
      Error{Code::kTimeout, Side::kUpstream, Retry::kNever, std::string(details)});
}

}  // namespace sluice
