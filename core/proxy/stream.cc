#include "core/proxy/stream.h"

#include <algorithm>
#include <new>
#include <utility>

#include "core/base/strings.h"
#include "core/http/status.h"
#include "core/proxy/edge.h"
#include "core/proxy/head_route_input.h"
#include "core/proxy/server_connection.h"
#include "core/proxy/stream_memory.h"

namespace sluice {
namespace {

#if defined(SLUICE_SANITIZE)
constexpr size_t kArenaBytes = 0;
#else
constexpr size_t kArenaBytes = Stream::kChunk - sizeof(Stream);
#endif
static_assert(sizeof(Stream) < Stream::kChunk / 2);

}  // namespace

void* Stream::operator new(size_t) { return TakeStreamChunk(kChunk); }
void Stream::operator delete(void* memory) { GiveStreamChunk(memory); }

Stream::Stream(ServerConnection& connection, ListenerRuntime& runtime, StreamId id)
    : connection_(connection),
      runtime_(runtime),
      id_(id),
      last_activity_(runtime.worker.loop.now()),
      request_task_(Callback::To<&Stream::PumpRequest>(this)),
      response_task_(Callback::To<&Stream::PumpResponse>(this)),
      finish_task_(Callback::To<&Stream::Leave>(this)),
      arena_(this + 1, kArenaBytes),
      request_head_(arena_),
      response_head_(arena_),
      info_(arena_, connection.info()),
      chain_(*this) {
  runtime_.generation.Hold();
  info_.stream_id = ++runtime.worker.last_stream_id;
  info_.start = last_activity_;
  info_.wall_start = runtime.worker.loop.wall();
  runtime_.stats.requests.Inc();
  runtime_.stats.requests_active.Add();
}

Stream::~Stream() {
  last_.reset();
  chain_.DestroyFilters();
  runtime_.generation.Drop();
}

Loop& Stream::stream_loop() { return runtime_.worker.loop; }
Random& Stream::stream_random() { return runtime_.worker.random; }
void Stream::Touch() { last_activity_ = runtime_.worker.loop.now(); }

// The request ---------------------------------------------------------------------------------

void Stream::OnHead(bool end) {
  head_complete_ = true;
  request_end_ = end ? RequestEnd::kCame : RequestEnd::kOpen;
  Touch();
  info_.request = &request_head_;
  info_.request_head_bytes = request_head_.wire_size;
  expects_continue_ = request_head_.expects_continue && !end;
  if (end) info_.request_end = last_activity_;
  std::optional<LocalReply> refusal =
      PrepareRequest(Edge(), request_head_, info_, runtime_.worker.random);
  MatchRoute();
  chain_.Create(runtime_.plan(info_.route));
  PrepareUpgrade();
  if (const Nanos idle = IdleTimeout(); idle > 0) connection_.WatchDeadline(last_activity_ + idle);
  if (refusal) return StartLocalReply(std::move(*refusal));
  const uint64_t most = runtime_.settings.body_size;
  if (most != 0 && request_head_.content_length.value_or(0) > most) {
    return RefuseBody();
  }
  if (!request_head_.upgrade.empty() && !end) {
    connection_.codec().Drain(connection_.connection().output());
    return StartLocalReply({.status = 400,
                            .body = "a request to upgrade must have no body\n",
                            .flag = ResponseFlag::kDownstreamProtocolError,
                            .details = "http1.body_disallowed"});
  }
  if (!end && runtime_.settings.body_idle_timeout > 0) {
    connection_.WatchDeadline(last_activity_ + runtime_.settings.body_idle_timeout);
  }
  chain_.HeadersArrived(Direction::kRequest, end);
}

EdgeInput Stream::Edge() const {
  return {runtime_.settings, connection_.remote_ip(), connection_.remote_is_trusted(),
          connection_.info().tls};
}

void Stream::MatchRoute() {
  if (runtime_.settings.routes == nullptr) return;
  const HeadRouteInput input(request_head_, info_.client_ip);
  const VirtualHost* host = nullptr;
  info_.route = runtime_.settings.routes->Match(input, runtime_.worker.random, &host);
  if (host != nullptr) info_.virtual_host = host->name();
  if (info_.route == nullptr) {
    info_.route_name = {};
    return;
  }
  info_.route_name = info_.route->name();
  if (!info_.priority_said) info_.priority = RequestPriorityOf(info_.route->priority());
}

void Stream::Reroute() {
  const Route* before = info_.route;
  MatchRoute();
  if (info_.route == before) return;
  PrepareUpgrade();
  if (const Nanos idle = IdleTimeout(); idle > 0) connection_.WatchDeadline(last_activity_ + idle);
}

void Stream::PrepareUpgrade() {
  if (request_head_.upgrade.empty()) return;
  if (info_.route != nullptr && info_.route->AllowsUpgrade(request_head_.upgrade)) return;
  if (request_head_.method() == Method::kConnect) return;  // the router refuses it
  // Not allowed here: the request goes on without it (RFC 9110 7.8).
  request_head_.upgrade = {};
  request_head_.headers.Remove(HeaderId::kUpgrade);
}

void Stream::OnHeadersPassed(Direction direction, bool end) {
  if (direction == Direction::kResponse) return FinishResponseHead();
  if (end) request_end_ = RequestEnd::kPassed;
  last_ = runtime_.last_filter->Create(*this);
  last_active_ = true;
  last_->OnRequestHeaders(request_head_, end);
}

void Stream::OnBody(Slice data) {
  Touch();
  info_.request_body_bytes += data.size();
  request_pending_.Append(std::move(data));
  const uint64_t most = runtime_.settings.body_size;
  if (most != 0 && info_.request_body_bytes > most && !local_ && !tunnel_) {
    return RefuseBody();
  }
  if (request_wanted_) runtime_.worker.loop.Defer(request_task_);
}

void Stream::RefuseBody() {
  constexpr std::string_view kDetails = "request_payload_too_large";
  if (response_ != ResponseState::kNone) return Abort(ResponseFlag::kNone, kDetails, true);
  StartLocalReply({.status = 413, .body = "payload too large\n", .details = std::string(kDetails)});
}

void Stream::OnTrailers(Headers& trailers) {
  PrepareTrailers(Edge(), trailers);
  request_trailers_ = &trailers;
}

void Stream::OnEnd() {
  if (!request_open()) return;
  request_end_ = RequestEnd::kCame;
  Touch();
  info_.request_end = last_activity_;
  if (request_wanted_) runtime_.worker.loop.Defer(request_task_);
}

void Stream::Pull(Direction direction) {
  direction == Direction::kResponse ? WantResponse(false) : PullRequestBody();
}

void Stream::PullRequestBody() {
  request_wanted_ = true;
  if (expects_continue_) {
    expects_continue_ = false;
    if (response_ == ResponseState::kNone) {
      connection_.codec().EncodeInformational(id_, 100, nullptr, connection_.connection().output());
      connection_.connection().Write();
    }
  }
  if (!request_pending_.empty() || !request_open() || chain_.Holds(Direction::kRequest)) {
    runtime_.worker.loop.Defer(request_task_);
  }
  Touch();
  connection_.UpdateReading();
}

void Stream::PumpRequest() {
  if (finished_ || !request_wanted_) return;
  if (!tunnel_ && chain_.Holds(Direction::kRequest)) {
    request_wanted_ = false;
    return chain_.ReleaseHeld(Direction::kRequest);
  }
  if (request_end_ == RequestEnd::kPassed || (request_pending_.empty() && request_open())) return;
  if (!tunnel_ && !chain_.CanTake(Direction::kRequest)) return;
  request_wanted_ = false;
  const bool end = !request_open();
  if (end) request_end_ = RequestEnd::kPassed;
  Buffer data = std::move(request_pending_);
  const size_t bytes = data.size();
  if (tunnel_) {
    if (last_active_) last_->OnRequestBody(data, end, nullptr);
  } else {
    chain_.BodyArrived(Direction::kRequest, std::move(data), end, request_trailers_);
  }
  ConsumedRequest(bytes);
}

void Stream::ConsumedRequest(size_t bytes) {
  if (finished_) return;
  Connection& connection = connection_.connection();
  connection_.codec().Consumed(id_, bytes, connection.output());
  if (!connection.output().empty()) connection.Write();
  connection_.UpdateReading();
}

void Stream::OnBodyPassed(Direction direction, Buffer& data, bool end, Headers* trailers) {
  if (direction == Direction::kResponse) return EncodeBody(data, end, trailers);
  if (last_active_) last_->OnRequestBody(data, end, trailers);
}

// The response --------------------------------------------------------------------------------

void Stream::SendInformational(uint16_t status, const Headers& headers) {
  if (response_ != ResponseState::kNone) return;
  connection_.codec().EncodeInformational(id_, status, &headers, connection_.connection().output());
  connection_.connection().Write();
}

void Stream::StartResponse(bool end) {
  if (response_ != ResponseState::kNone || finished_) return;
  response_ = ResponseState::kStarted;
  info_.response = &response_head_;
  Touch();
  source_calls_ = true;
  chain_.HeadersArrived(Direction::kResponse, end);
  source_calls_ = false;
}

// Will the answer be over before the request is? Then its connection ends with it.
bool Stream::LeavesRequestUnread() const {
  if (!request_open() || connection_.codec().CanReset()) return false;
  if (expects_continue_ || !request_head_.content_length) return true;
  const uint64_t rest = *request_head_.content_length - info_.request_body_bytes;
  return connection_.connection().input().size() < rest;
}

void Stream::FinishResponseHead() {
  response_ = ResponseState::kHeadSent;
  info_.status = response_head_.status;
  if (const RouteExtras::Changes* changes = runtime_.changes(info_.route); changes != nullptr) {
    for (const HeaderChanges* change : changes[info_.route_choice].response) {
      change->Apply(response_head_.headers, info_);
    }
  }
  if (local_changes_ != nullptr) local_changes_->Apply(response_head_.headers, info_);
  ServerCodec& codec = connection_.codec();
  // Upstreams' own Connection fields do not come this far: this is a filter's or the echo server's.
  // While draining, the worker may not have come to this connection yet.
  if (response_head_.headers.Get(HeaderId::kConnection) == "close" ||
      (local_ && LeavesRequestUnread()) ||
      (!codec.CanReset() && runtime_.worker.status.ends_connections())) {
    codec.Drain(connection_.connection().output());
  }
  PrepareResponse(runtime_.settings, response_head_, local_, runtime_.worker.Date());
  const bool end = chain_.head_end(Direction::kResponse);
  Connection& connection = connection_.connection();
  codec.EncodeHead(id_, response_head_, end, connection.output());
  connection.Write();
  if (tunnel_due_) StartTunnel();
  if (end) {
    codec.EncodeEnd(id_, nullptr, connection.output());
    return EndResponse();
  }
  // The codec writes no body where none belongs, whatever the fields say.
  if (!tunnel_ && !StatusHasNoBody(response_head_.status)) {
    response_length_.Begin(response_head_.headers);
  }
  WantResponse(source_calls_);
}

// `source_looks`: the last filter is sending, and looks at response_wanted() next. But a filter may
// have held the piece until now, and then nobody is.
void Stream::WantResponse(bool source_looks) {
  if (demand_ != Demand::kUntold) demand_ = source_looks ? Demand::kSeen : Demand::kUntold;
  if (!source_looks || local_ || chain_.Holds(Direction::kResponse)) {
    runtime_.worker.loop.Defer(response_task_);
  }
}

bool Stream::response_wanted() const {
  return demand_ != Demand::kNone && (tunnel_ || chain_.CanTake(Direction::kResponse));
}

void Stream::SendBody(Buffer&& data, bool end, Headers* trailers) {
  if (finished_ || local_) return;
  demand_ = Demand::kNone;
  Touch();
  source_calls_ = true;
  if (tunnel_) {
    EncodeBody(data, end, nullptr);
  } else {
    chain_.BodyArrived(Direction::kResponse, std::move(data), end, trailers);
  }
  source_calls_ = false;
}

void Stream::EncodeBody(Buffer& data, bool end, Headers* trailers) {
  if (!response_length_.Take(data.size(), end)) {
    info_.details = "filter_broke_response_length";
    return Abort(ResponseFlag::kLocalReset, info_.details, true);
  }
  info_.response_body_bytes += data.size();
  info_.response_trailers = trailers;
  response_piece_end_ = end;
  EncodePiece(data);
}

void Stream::EncodePiece(Buffer& data) {
  const bool end = response_piece_end_;
  Connection& connection = connection_.connection();
  ServerCodec& codec = connection_.codec();
  codec.EncodeBody(id_, data, connection.output());
  if (!data.empty()) {
    response_rest_ = std::move(data);
    return connection.Write();
  }
  if (end) codec.EncodeEnd(id_, info_.response_trailers, connection.output());
  connection.Write();
  if (end) return EndResponse();
  if (connection.Blocked()) {
    return connection.NotifyWritten();  // OnWritable comes when all of it has left
  }
  WantResponse(source_calls_);
}

void Stream::OnWritable() {
  if (finished_ || response_ != ResponseState::kHeadSent) return;
  Touch();
  if (demand_ != Demand::kNone || !response_rest_.empty()) return;
  if (!tunnel_ && !chain_.CanTake(Direction::kResponse) && !chain_.Holds(Direction::kResponse)) {
    return;  // a filter holds a piece; when it lets go, EncodeBody asks for more
  }
  WantResponse(false);
}

void Stream::OnEncodeMore() {
  if (finished_ || response_rest_.empty()) return;
  Touch();
  Buffer rest = std::move(response_rest_);
  EncodePiece(rest);
}

void Stream::PumpResponse() {
  if (finished_ || demand_ == Demand::kNone) return;
  if (!tunnel_ && chain_.Holds(Direction::kResponse)) {
    demand_ = Demand::kNone;
    return chain_.ReleaseHeld(Direction::kResponse);
  }
  if (local_) {
    if (!local_end_due_ || !chain_.CanTake(Direction::kResponse)) return;
    local_end_due_ = false;
    demand_ = Demand::kNone;
    return chain_.BodyArrived(Direction::kResponse, std::move(local_body_), true, nullptr);
  }
  if (demand_ != Demand::kUntold) return;
  demand_ = Demand::kSeen;
  if (last_active_) last_->OnResponseWanted();
}

void Stream::EndResponse() {
  response_ = ResponseState::kEnded;
  if (!tunnel_ || tunnel_over_) return Finish();
  // The other way goes on.
  if (!connection_.codec().CanReset()) connection_.connection().EndWhenWritten();
}

void Stream::Tunnel() {
  if (finished_ || local_) return;  // a filter answered in place of the upstream
  if (response_ == ResponseState::kHeadSent) return StartTunnel();
  tunnel_due_ = true;  // a filter holds the head
}

void Stream::EndTunnel() {
  last_active_ = false;
  tunnel_over_ = true;
  if (response_ == ResponseState::kEnded) Finish();  // else its end waits for the client's window
}

void Stream::StartTunnel() {
  tunnel_due_ = false;
  tunnel_ = true;
  response_length_.Release();
  request_end_ = RequestEnd::kOpen;
  runtime_.stats.tunnels.Inc();
  connection_.codec().Tunnel(id_);
  connection_.FeedLater();
  PullRequestBody();
}

// Answers of our own --------------------------------------------------------------------------

void Stream::Reply(LocalReply reply) {
  last_active_ = false;
  StartLocalReply(std::move(reply));
}

void Stream::OnFilterReply(LocalReply reply) { StartLocalReply(std::move(reply)); }

void Stream::OnFilterAbort(Error error) {
  info_.details = arena_.Copy(error.detail);
  Abort(ResponseFlag::kLocalReset, info_.details, true);
}

void Stream::AbandonLastFilter() {
  if (std::exchange(last_active_, false)) last_->OnAbandoned();
}

// What the response was to be, and whoever was making it, goes.
void Stream::ReplaceResponse() {
  AbandonLastFilter();
  chain_.StopRequest();
  local_ = true;
  request_wanted_ = false;  // nobody takes it any more: what comes is not to pile up here
  tunnel_due_ = local_end_due_ = false;
  local_body_.Clear();
  response_ = ResponseState::kStarted;
  Touch();
}

void Stream::StartLocalReply(LocalReply reply) {
  if (finished_ || response_ == ResponseState::kEnded) return;
  // One that is on its way through the filters is not to be replaced: they would see two heads.
  if (response_ == ResponseState::kHeadSent || chain_.Begun(Direction::kResponse)) {
    return Abort(reply.flag, reply.details, true);
  }
  ReplaceResponse();
  info_.flags.Set(reply.flag);
  if (!reply.details.empty()) info_.details = arena_.Copy(reply.details);
  info_.status = reply.status;
  runtime_.stats.local_replies.Inc();
  if (!reply.unmapped && !runtime_.settings.local_replies.empty()) {
    local_changes_ = runtime_.settings.local_replies.Apply(reply, info_);
  }
  const bool has_body = WriteHead(reply, response_head_);
  info_.local_reply_body = arena_.Copy(reply.body);
  info_.response = &response_head_;
  local_end_due_ = has_body && request_head_.method() != Method::kHead;
  if (local_end_due_) local_body_.Append(std::string_view(reply.body));
  chain_.HeadersArrived(Direction::kResponse, !local_end_due_);
}

// Of a request that never became whole filters see nothing, but the log gets its line.
void Stream::ShowBrokenHead() {
  if (info_.request != nullptr) return;
  info_.request = &request_head_;
  info_.request_head_bytes = request_head_.wire_size;
  info_.client_ip = connection_.remote_ip();
  chain_.Create(runtime_.plan(nullptr));
}

bool Stream::OnProtocolError(const Error& error) {
  if (finished_ || response_ == ResponseState::kHeadSent) {
    Abort(ResponseFlag::kDownstreamProtocolError, error.detail, true);
    return false;
  }
  if (response_ == ResponseState::kEnded) return false;
  ShowBrokenHead();
  ServerCodec& codec = connection_.codec();
  if (!codec.CanReset()) codec.Drain(connection_.connection().output());
  LocalReply reply;
  reply.status = StatusOf(error);
  reply.body = StrCat({ReasonPhrase(reply.status), "\n"});
  reply.flag = ResponseFlag::kDownstreamProtocolError;
  reply.details = error.detail;
  if (reply.status == 426) reply.headers.emplace_back("upgrade", "HTTP/1.1");  // RFC 9110 15.5.22
  StartLocalReply(std::move(reply));
  return true;
}

// Ends ----------------------------------------------------------------------------------------

void Stream::AbortResponse(Error error) {
  last_active_ = false;
  Abort(ResponseFlag::kNone, error.detail, true);
}

void Stream::Abort(ResponseFlag flag, std::string_view details, bool reset) {
  if (finished_) return;
  const bool by_client = flag == ResponseFlag::kDownstreamConnectionTermination ||
                         flag == ResponseFlag::kDownstreamRemoteReset;
  (by_client ? runtime_.stats.client_resets : runtime_.stats.local_resets).Inc();
  ShowBrokenHead();
  info_.flags.Set(flag);
  if (info_.details.empty()) info_.details = arena_.Copy(details);
  AbandonLastFilter();
  chain_.Stop();
  Finish();
  if (reset && response_ != ResponseState::kEnded) connection_.ResetStream(*this);
}

void Stream::OnClientGone(ResponseFlag flag, std::string_view details) {
  Abort(flag, details, false);
}

Nanos Stream::IdleTimeout() const {
  return info_.route != nullptr ? info_.route->idle_timeout()
                                : runtime_.settings.stream_idle_timeout;
}

void Stream::OnHeadTimeout() {
  runtime_.stats.head_timeouts.Inc();
  OnProtocolError(
      Error{Code::kTimeout, Side::kDownstream, Retry::kNever, "request_header_timeout"});
}

// What a slow client, or a slow upstream, takes piece by piece moves. With many streams on a
// connection nobody knows whose bytes left.
Nanos Stream::LastMoved() const {
  Connection& connection = connection_.connection();
  const Nanos up = last_active_ ? std::max(last_activity_, last_->LastMoved()) : last_activity_;
  if (connection_.codec().CanReset() || connection.output().empty()) return up;
  return std::max(up, connection.last_written());
}

Nanos Stream::CheckTimeouts(Nanos now) {
  if (finished_ || !head_complete_) return 0;
  Nanos next = 0;
  if (request_open() && !tunnel_ && runtime_.settings.body_idle_timeout > 0) {
    // While nobody wants the next piece its time has not begun.
    const bool waits = request_wanted_ && request_pending_.empty();
    next = (waits ? last_activity_ : now) + runtime_.settings.body_idle_timeout;
    if (now >= next) {
      runtime_.stats.body_timeouts.Inc();
      return TimeOut(408, "request body timed out\n", "request_body_idle_timeout");
    }
  }
  if (const Nanos idle = IdleTimeout(); idle > 0) {
    const Nanos deadline = LastMoved() + idle;
    if (now >= deadline) {
      runtime_.stats.idle_timeouts.Inc();
      return TimeOut(request_open() ? 408 : 504, "stream timed out\n", "stream_idle_timeout");
    }
    if (next == 0 || deadline < next) next = deadline;
  }
  return next;
}

Nanos Stream::TimeOut(uint16_t status, std::string_view body, std::string_view details) {
  constexpr ResponseFlag kFlag = ResponseFlag::kStreamIdleTimeout;
  if (response_ >= ResponseState::kHeadSent) {
    Abort(kFlag, details, true);
  } else {
    StartLocalReply({.status = status,
                     .body = std::string(body),
                     .flag = kFlag,
                     .details = std::string(details)});
  }
  return 0;
}

void Stream::Finish() {
  if (finished_) return;
  finished_ = true;
  request_wanted_ = false;
  info_.end = runtime_.worker.loop.now();
  CountResponse();
  AbandonLastFilter();
  chain_.Complete(info_);
  runtime_.worker.loop.Defer(finish_task_);
}

void Stream::Leave() { connection_.OnStreamFinished(*this); }

void Stream::CountResponse() {
  ListenerStats& stats = runtime_.stats;
  stats.requests_active.Sub();
  const size_t status_class = info_.status / 100 < 6 ? info_.status / 100 : 5;
  stats.responses[status_class].Inc();
  if (RouteStats* route = runtime_.route_stats(info_.route)) route->responses[status_class].Inc();
  stats.request_duration.Record(static_cast<uint64_t>((info_.end - info_.start) / kMicrosecond));
}

}  // namespace sluice
