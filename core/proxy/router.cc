#include "core/proxy/router.h"

#include <algorithm>
#include <utility>

#include "core/base/strings.h"
#include "core/net/address.h"
#include "core/proxy/head_route_input.h"

namespace sluice {
namespace {

// Which try of the request it is, counted from 1: to the upstream and to the client, unless it is
// the first.
constexpr std::string_view kAttemptCount = "x-sluice-attempt-count";

}  // namespace

ArenaPtr<LastFilter> RouterFactory::Create(Responder& responder) {
  return ArenaPtr<LastFilter>(
      responder.stream_arena().Make<Router>(responder, *runtime_).release());
}

Router::Router(Responder& responder, ListenerRuntime& runtime)
    : responder_(responder),
      runtime_(runtime),
      try_(*this, runtime.worker.loop),
      route_timer_(runtime.worker.loop, Callback::To<&Router::OnRouteTimeout>(this)),
      back_off_timer_(runtime.worker.loop, Callback::To<&Router::OnBackOffOver>(this)),
      pump_task_(Callback::To<&Router::Pump>(this)) {}

Router::~Router() { Stop(); }

void Router::Stop(TryOutcome outcome) {
  if (std::exchange(stopped_, true)) return;
  route_timer_.Cancel();
  back_off_timer_.Cancel();
  pump_task_.Cancel();
  try_.Stop(outcome);
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
    return Fail(404, ResponseFlag::kNoRouteFound, "route_not_found", "no route\n");
  }
  if (head.method() == Method::kConnect && !route->AllowsUpgrade("connect")) {
    return Fail(405, ResponseFlag::kNone, "connect_not_allowed", "CONNECT is not allowed\n");
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
  if (cluster_ == nullptr) {
    return Fail(503, ResponseFlag::kNoClusterFound, "cluster_not_found", "no such cluster\n");
  }
  info.cluster = cluster_->settings().name;
  retries_.set_policy(route->retries());
  ApplyRoute(*route, head);
  mirror_.Start(*route, runtime_, head, end);
  if (end) RequestSent();
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
  WorkerEndpoint* endpoint =
      choice_.Pick(*cluster_, *head_, responder_.stream_info(), runtime_.worker.random);
  if (endpoint == nullptr) {
    cluster_->stats().no_endpoint.Inc();
    return Fail(503, ResponseFlag::kNoHealthyUpstream, "no_healthy_upstream",
                "no healthy upstream\n");
  }
  StreamInfo& info = responder_.stream_info();
  ++info.attempts;
  // The endpoint may be gone before the log is written.
  info.upstream_host = responder_.stream_arena().Copy(endpoint->text);
  info.upstream_start = runtime_.worker.loop.now();
  try_.Begin(*cluster_, *endpoint);
  if (request_end_) StartTryTimer();
  UpstreamRequest& request = try_.request();
  if (!fresh_only && request.TryStart(endpoint->pool)) return SendRequest();
  const ConnectionInfo& connection = info.connection();
  request.Start(endpoint->pool, &connection.remote, &connection.local, fresh_only);
}

void Router::OnTryReady(UpstreamTry&) { SendRequest(); }

void Router::SendRequest() {
  StreamInfo& info = responder_.stream_info();
  UpstreamRequest& request = try_.request();
  info.pool_ready = runtime_.worker.loop.now();
  info.upstream_connection_id = request.connection_id();
  try_.set_head_sent();
  if (info.attempts > 1) head_->headers.Set(kAttemptCount, Decimal(info.attempts).view());
  if (head_->authority.empty()) {
    // Of HTTP/1.0; the endpoint would refuse to be called by no name. In this try only.
    head_->authority = try_.endpoint()->Authority(responder_.stream_arena());
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
  const UpstreamRequest& request = try_.request();
  if (request_end_ || pull_outstanding_ || !request.ready() || !request.writable()) return;
  pull_outstanding_ = true;
  responder_.PullRequestBody();
}

void Router::OnRequestBody(Buffer& data, bool end, Headers* trailers) {
  pull_outstanding_ = false;
  if (tunnel_ && !try_.request().ready()) return;  // nobody is there to take it any more
  request_end_ = end;
  request_trailers_ = trailers;
  if (mirror_.active()) mirror_.SendBody(data, end, trailers);
  if (end) RequestSent();
  if (!try_.request().ready() || !try_.under_way()) {  // SendRequest sends what is kept
    if (!stopped_) replay_.Append(std::move(data));
    return;
  }
  KeepForReplay(data);
  SendBody(data, end);
}

void Router::SendBody(Buffer& data, bool end) {
  if (try_.request().SendBody(data, end, request_trailers_)) {
    PullMore();
    return EndTunnelIfOver();
  }
  // The client's own framing was checked as it was read.
  constexpr std::string_view kDetails = "filter_broke_request_length";
  if (!response_started_) {
    return Fail(500, ResponseFlag::kLocalReset, kDetails, "internal error\n");
  }
  responder_.stream_info().flags.Set(ResponseFlag::kLocalReset);
  responder_.stream_info().details = kDetails;
  Stop();
  responder_.AbortResponse(
      Error{Code::kInternal, Side::kInternal, Retry::kNever, std::string(kDetails)});
}

void Router::KeepForReplay(const Buffer& data) {
  if (data.empty() || !replay_whole_) return;
  const bool of_use = !response_started_ && retries_.KeepsBody(try_.request().reused());
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
  const Route* route = info.route;
  if (route->timeout() > 0 && !route_timer_.pending()) route_timer_.Start(route->timeout());
  if (!response_started_ && try_.under_way()) StartTryTimer();
}

void Router::StartTryTimer() {
  const Nanos timeout = responder_.stream_info().route->per_try_timeout();
  if (timeout > 0) try_.StartTimer(timeout);
}

ResponseHead& Router::OnTryBegin(UpstreamTry&) {
  ResponseHead& head = responder_.response_head();
  head.headers.Clear();
  return head;
}

void Router::OnTryInformational(UpstreamTry&) {
  const ResponseHead& head = responder_.response_head();
  // 100 is between us and the upstream: we ask for it by nothing, and answer it ourselves.
  if (head.status != 100) responder_.SendInformational(head.status, head.headers);
}

void Router::OnTryHead(UpstreamTry& attempt, bool end) {
  StreamInfo& info = responder_.stream_info();
  ResponseHead& head = responder_.response_head();
  if (retries_.has_policy()) [[unlikely]] {
    if (const auto again = retries_.AfterResponse(head, SituationNow())) {
      choice_.Avoid(*attempt.endpoint());
      // Where the request is not all sent, the connection is of no use any more.
      request_end_ ? attempt.Discard() : attempt.Stop();
      return back_off_timer_.Start(again->wait);
    }
    if (retries_.exhausted()) info.flags.Set(ResponseFlag::kUpstreamRetryLimitExceeded);
  }
  response_started_ = true;
  response_end_ = end;
  replay_.Clear();
  info.response_start = runtime_.worker.loop.now();
  info.upstream_protocol = head.protocol;
  info.response_head_bytes = head.wire_size;
  if (info.details.empty()) info.details = "via_upstream";
  choice_.AddCookies(*cluster_, *attempt.endpoint(), info, head);
  if (info.attempts > 1) head.headers.Set(kAttemptCount, Decimal(info.attempts).view());
  const bool connected = head_->method() == Method::kConnect && head.status / 100 == 2;
  if (connected || head.status == 101) {
    if (!connected && !IsUpgradeAskedFor()) {
      return Fail(502, ResponseFlag::kUpstreamProtocolError, "upgrade_not_asked_for",
                  "bad gateway\n", TryOutcome::kReset);
    }
    tunnel_ = true;
    request_end_ = false;      // another is to come
    pull_outstanding_ = true;  // the responder does, as soon as the tunnel stands
    route_timer_.Cancel();
    try_.request().Tunnel();
    responder_.StartResponse(false);
    responder_.Tunnel();
    return;
  }
  if (!end) responder_.StartResponse(false);  // else OnTryEnd, which follows at once
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

void Router::OnTryBody(UpstreamTry&, Slice data) {
  response_body_.Append(std::move(data));
  runtime_.worker.loop.Defer(pump_task_);
}

void Router::OnTryTrailers(UpstreamTry&, Headers& trailers) { response_trailers_ = &trailers; }

void Router::OnTryEnd(UpstreamTry&) {
  StreamInfo& info = responder_.stream_info();
  info.response_end = runtime_.worker.loop.now();
  const bool head_only = response_end_;  // OnTryHead said so
  response_end_ = true;
  if (!tunnel_) route_timer_.Cancel();
  if (head_only) return responder_.StartResponse(true);
  runtime_.worker.loop.Defer(pump_task_);
}

void Router::Pump() {
  if (stopped_ || !response_started_ || response_passed_) return;
  if (!response_body_.empty() || response_end_) {
    if (!responder_.response_wanted()) {
      // It waits here, and the upstream's socket fills.
      return try_.request().SetReading(false);
    }
    const size_t bytes = response_body_.size();
    const bool end = response_end_;
    responder_.SendBody(std::move(response_body_), end, end ? response_trailers_ : nullptr);
    if (stopped_) return;
    if (end) {
      response_passed_ = true;
      return EndTunnelIfOver();
    }
    try_.request().Consumed(bytes);
  }
  if (!try_.request().ready()) return;
  try_.request().SetReading(responder_.response_wanted());
}

void Router::OnResponseWanted() { Pump(); }

void Router::OnTryWritable(UpstreamTry&) {
  PullMore();
  EndTunnelIfOver();
}

void Router::EndTunnelIfOver() {
  if (!tunnel_ || !response_passed_) return;
  // Where nothing more can be sent, what the client still says is lost: its end is not awaited.
  const UpstreamRequest& request = try_.request();
  if (!request.cannot_send() && (!request_end_ || !request.all_sent())) return;
  Stop();
  responder_.EndTunnel();
}

RetryState::Situation Router::SituationNow() {
  Loop& loop = runtime_.worker.loop;
  const Nanos left =
      route_timer_.pending() ? route_timer_.deadline() - loop.now() : Nanos{INT64_MAX};
  return {*head_, *cluster_,   !request_has_body_ || replay_whole_,
          left,   loop.wall(), runtime_.worker.random};
}

void Router::OnBackOffOver() {
  try_.Stop();
  StartTry(false);
}

void Router::OnTryFailed(UpstreamTry& attempt, const Error& error) {
  StreamInfo& info = responder_.stream_info();
  info.upstream_failure = responder_.stream_arena().Copy(error.detail);
  if (tunnel_ && response_end_) {
    // It had said all it had to say, and the client is to get that. What the client still says is
    // lost.
    info.flags.Set(ResponseFlag::kUpstreamConnectionTermination);
    return EndTunnelIfOver();
  }
  if (response_started_) {
    const bool protocol = error.code == Code::kProtocol;
    info.flags.Set(protocol ? ResponseFlag::kUpstreamProtocolError
                            : ResponseFlag::kUpstreamConnectionTermination);
    info.details = responder_.stream_arena().Join(
        {"upstream_reset_after_response_started{", error.detail, "}"});
    Error cut = error;
    cut.detail = info.details;
    Stop();
    return responder_.AbortResponse(std::move(cut));
  }
  if (const auto again = retries_.AfterFailure(attempt, error, SituationNow())) {
    if (!again->fresh_only) choice_.Avoid(*attempt.endpoint());
    if (again->wait > 0) return back_off_timer_.Start(again->wait);
    return StartTry(again->fresh_only);
  }
  if (retries_.exhausted()) info.flags.Set(ResponseFlag::kUpstreamRetryLimitExceeded);
  FailBeforeResponse(error);
}

void Router::FailBeforeResponse(const Error& error) {
  Arena& arena = responder_.stream_arena();
  const std::string_view details =
      arena.Join({"upstream_reset_before_response_started{", error.detail, "}"});
  if (!try_.head_sent()) {
    return Fail(503, ResponseFlag::kUpstreamConnectionFailure, details,
                "upstream connect failure\n");
  }
  const bool lost = error.code == Code::kReset || error.code == Code::kClosed ||
                    error.code == Code::kTimeout || error.code == Code::kIo ||
                    error.code == Code::kRefused;
  if (lost) {
    return Fail(503, ResponseFlag::kUpstreamConnectionTermination, details,
                "upstream connection closed before the response\n");
  }
  Fail(502, ResponseFlag::kUpstreamProtocolError, details, "bad response from upstream\n");
}

void Router::OnRouteTimeout() {
  if (cluster_ != nullptr) cluster_->stats().timeouts.Inc();
  if (try_.under_way()) try_.endpoint()->stats.failures.Inc();
  TimeOut("upstream_response_timeout");
}

void Router::OnTryTimeout(UpstreamTry& attempt) {
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
    return Fail(504, ResponseFlag::kUpstreamRequestTimeout, details, "upstream timed out\n",
                TryOutcome::kTimedOut);
  }
  responder_.stream_info().flags.Set(ResponseFlag::kUpstreamRequestTimeout);
  responder_.stream_info().details = details;
  Stop(TryOutcome::kTimedOut);
  responder_.AbortResponse(
      Error{Code::kTimeout, Side::kUpstream, Retry::kNever, std::string(details)});
}

void Router::Fail(uint16_t status, ResponseFlag flag, std::string_view details,
                  std::string_view body, TryOutcome outcome) {
  LocalReply reply;
  reply.status = status;
  reply.flag = flag;
  reply.details = details;
  reply.body = body;
  Stop(outcome);
  responder_.Reply(std::move(reply));
}

}  // namespace sluice
