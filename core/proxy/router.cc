#include "core/proxy/router.h"

#include <algorithm>
#include <utility>

#include "core/base/strings.h"
#include "core/net/address.h"
#include "core/proxy/head_route_input.h"

namespace sluice {

ArenaPtr<LastFilter> RouterFactory::Create(Responder& responder) {
  return ArenaPtr<LastFilter>(
      responder.stream_arena().Make<Router>(responder, *runtime_).release());
}

Router::Router(Responder& responder, ListenerRuntime& runtime)
    : responder_(responder),
      runtime_(runtime),
      upstream_(*this),
      route_timer_(runtime.worker.loop, Callback::To<&Router::OnRouteTimeout>(this)),
      try_timer_(runtime.worker.loop, Callback::To<&Router::OnTryTimeout>(this)),
      pump_task_(Callback::To<&Router::Pump>(this)) {}

Router::~Router() { Stop(); }

void Router::Stop(TryOutcome outcome) {
  if (std::exchange(stopped_, true)) return;
  route_timer_.Cancel();
  try_timer_.Cancel();
  pump_task_.Cancel();
  upstream_.Cancel();
  EndTry(outcome);
}

void Router::EndTry(TryOutcome outcome) {
  if (!std::exchange(counted_, false)) return;
  const Nanos now = runtime_.worker.loop.now();
  ClusterStats& stats = cluster_->stats();
  stats.requests_active.Sub();
  // So that requests are the sum of responses, however a try ends.
  if (!response_started_) stats.responses[0].Inc();
  const Nanos elapsed = now - responder_.stream_info().upstream_start;
  stats.request_duration.Record(static_cast<uint64_t>(elapsed / kMicrosecond));
  meter_.End(outcome, elapsed, now);
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
  ApplyRoute(*route, head);
  mirror_.Start(*route, runtime_, head, end);
  if (end) RequestSent();
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
  endpoint_ = endpoint;
  head_sent_ = false;
  StreamInfo& info = responder_.stream_info();
  ++info.attempts;
  // The endpoint may be gone before the log is written.
  info.upstream_host = responder_.stream_arena().Copy(endpoint->text);
  info.upstream_start = runtime_.worker.loop.now();
  cluster_->stats().requests.Inc();
  endpoint->stats.requests.Inc();
  cluster_->stats().requests_active.Add();
  counted_ = true;
  meter_.Begin(*cluster_, *endpoint);
  if (request_end_) StartTryTimer();
  if (!fresh_only && upstream_.TryStart(endpoint->pool)) return SendRequest();
  const ConnectionInfo& connection = info.connection();
  upstream_.Start(endpoint->pool, &connection.remote, &connection.local, fresh_only);
}

void Router::OnUpstreamReady() { SendRequest(); }

void Router::SendRequest() {
  StreamInfo& info = responder_.stream_info();
  info.pool_ready = runtime_.worker.loop.now();
  info.upstream_connection_id = upstream_.connection_id();
  head_sent_ = true;
  if (head_->authority.empty()) {
    // Of HTTP/1.0; the endpoint would refuse to be called by no name. In this try only.
    head_->authority = endpoint_->Authority(responder_.stream_arena());
    upstream_.SendHead(*head_, !request_has_body_);
    head_->authority = {};
  } else {
    upstream_.SendHead(*head_, !request_has_body_);
  }
  if (!request_has_body_) return;
  if (!replay_.empty() || request_end_) {  // a second try
    replay_whole_ = false;
    return SendBody(replay_, request_end_);
  }
  PullMore();
}

void Router::PullMore() {
  if (request_end_ || pull_outstanding_ || !upstream_.ready() || !upstream_.writable()) return;
  pull_outstanding_ = true;
  responder_.PullRequestBody();
}

void Router::OnRequestBody(Buffer& data, bool end, Headers* trailers) {
  pull_outstanding_ = false;
  if (tunnel_ && !upstream_.ready()) return;  // nobody is there to take it any more
  request_end_ = end;
  request_trailers_ = trailers;
  if (mirror_.active()) mirror_.SendBody(data, end, trailers);
  if (end) RequestSent();
  if (!upstream_.ready()) {  // a try begins: SendRequest sends what is kept
    if (!stopped_) replay_.Append(std::move(data));
    return;
  }
  KeepForReplay(data);
  SendBody(data, end);
}

void Router::SendBody(Buffer& data, bool end) {
  if (upstream_.SendBody(data, end, request_trailers_)) {
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
  const bool of_use = upstream_.reused() && !stale_retried_ && !response_started_;
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
  if (!response_started_) StartTryTimer();
}

void Router::StartTryTimer() {
  const Nanos timeout = responder_.stream_info().route->per_try_timeout();
  if (timeout > 0) try_timer_.Start(timeout);
}

ResponseHead& Router::OnUpstreamBegin() {
  ResponseHead& head = responder_.response_head();
  head.headers.Clear();
  return head;
}

void Router::OnUpstreamInformational() {
  const ResponseHead& head = responder_.response_head();
  // 100 is between us and the upstream: we ask for it by nothing, and answer it ourselves.
  if (head.status != 100) responder_.SendInformational(head.status, head.headers);
}

void Router::OnUpstreamHead(bool end) {
  StreamInfo& info = responder_.stream_info();
  ResponseHead& head = responder_.response_head();
  response_started_ = true;
  response_end_ = end;
  replay_.Clear();
  try_timer_.Cancel();
  info.response_start = runtime_.worker.loop.now();
  info.upstream_protocol = head.protocol;
  info.response_head_bytes = head.wire_size;
  if (info.details.empty()) info.details = "via_upstream";
  cluster_->stats().responses[head.status / 100 < 6 ? head.status / 100 : 5].Inc();
  if (head.status >= 500) endpoint_->stats.failures.Inc();
  const Nanos sent = std::max(info.upstream_start, info.upstream_end);
  meter_.OnHead(head.status, head.headers, info.response_start - sent, info.response_start);
  choice_.AddCookies(*cluster_, *endpoint_, info, head);
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
    upstream_.Tunnel();
    responder_.StartResponse(false);
    responder_.Tunnel();
    return;
  }
  if (!end) responder_.StartResponse(false);  // else OnUpstreamEnd, which follows at once
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

void Router::OnUpstreamBody(Slice data) {
  response_body_.Append(std::move(data));
  runtime_.worker.loop.Defer(pump_task_);
}

void Router::OnUpstreamTrailers(Headers& trailers) {
  response_trailers_ = &trailers;
  meter_.OnTrailers(trailers, runtime_.worker.loop.now());
}

void Router::OnUpstreamEnd() {
  StreamInfo& info = responder_.stream_info();
  info.response_end = runtime_.worker.loop.now();
  const bool head_only = response_end_;  // OnUpstreamHead said so
  response_end_ = true;
  if (!tunnel_) {
    route_timer_.Cancel();
    const bool server_error = responder_.response_head().status >= 500;
    EndTry(server_error ? TryOutcome::kServerError : TryOutcome::kAnswered);
  }
  if (head_only) return responder_.StartResponse(true);
  runtime_.worker.loop.Defer(pump_task_);
}

void Router::Pump() {
  if (stopped_ || !response_started_ || response_passed_) return;
  if (!response_body_.empty() || response_end_) {
    if (!responder_.response_wanted()) {
      // It waits here, and the upstream's socket fills.
      return upstream_.SetReading(false);
    }
    const size_t bytes = response_body_.size();
    const bool end = response_end_;
    responder_.SendBody(std::move(response_body_), end, end ? response_trailers_ : nullptr);
    if (stopped_) return;
    if (end) {
      response_passed_ = true;
      return EndTunnelIfOver();
    }
    upstream_.Consumed(bytes);
  }
  if (!upstream_.ready()) return;
  upstream_.SetReading(responder_.response_wanted());
}

void Router::OnResponseWanted() { Pump(); }

void Router::OnUpstreamWritable() {
  PullMore();
  EndTunnelIfOver();
}

void Router::EndTunnelIfOver() {
  if (!tunnel_ || !response_passed_) return;
  // Where nothing more can be sent, what the client still says is lost: its end is not awaited.
  if (!upstream_.cannot_send() && (!request_end_ || !upstream_.all_sent())) return;
  Stop();
  responder_.EndTunnel();
}

bool Router::RetryAfter(const Error& error) {
  ClusterStats& stats = cluster_->stats();
  if (!head_sent_) {  // the connect failed
    if (connect_retried_ || cluster_->endpoint_count() < 2) return false;
    connect_retried_ = true;
    choice_.Avoid(*endpoint_);
    stats.connect_retries.Inc();
    return true;
  }
  if (error.retry != Retry::kIfReused || !upstream_.reused() || stale_retried_) return false;
  const bool idempotent =
      IsIdempotent(head_->method()) || head_->headers.Has(HeaderId::kIdempotencyKey);
  if (!replay_whole_ || (upstream_.sent_any() && !idempotent)) return false;
  stale_retried_ = true;
  stats.stale_retries.Inc();
  return true;
}

void Router::OnUpstreamFailed(const Error& error) {
  EndTry(head_sent_ ? TryOutcome::kReset : TryOutcome::kNotConnected);
  StreamInfo& info = responder_.stream_info();
  info.upstream_failure = responder_.stream_arena().Copy(error.detail);
  endpoint_->stats.failures.Inc();
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
  if (RetryAfter(error)) return StartTry(stale_retried_);
  FailBeforeResponse(error);
}

void Router::FailBeforeResponse(const Error& error) {
  Arena& arena = responder_.stream_arena();
  const std::string_view details =
      arena.Join({"upstream_reset_before_response_started{", error.detail, "}"});
  if (!head_sent_) {
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
  TimeOut("upstream_response_timeout");
}

void Router::OnTryTimeout() {
  cluster_->stats().per_try_timeouts.Inc();
  TimeOut("upstream_per_try_timeout");
}

void Router::TimeOut(std::string_view details) {
  if (endpoint_ != nullptr) endpoint_->stats.failures.Inc();
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
