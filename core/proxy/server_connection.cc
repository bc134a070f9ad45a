#include "core/proxy/server_connection.h"

#include <algorithm>
#include <utility>

#include "core/net/proxy_protocol.h"
#include "core/net/socket.h"
#include "core/proxy/stream.h"

namespace sluice {

ServerConnection::ServerConnection(ServerConnectionOwner& owner, ListenerRuntime& runtime,
                                   AllList& all, IdleList& idle, Fd fd, const Address& peer,
                                   const Address& local)
    : owner_(owner),
      runtime_(&runtime),
      all_(all),
      idle_(idle),
      connection_(runtime.worker.loop, *this, runtime.settings.new_transport(fd.Release()),
                  Side::kDownstream),
      codec_(runtime.settings.new_codec(*this, runtime.settings.codec)),
      timer_(runtime.worker.loop, Callback::To<&ServerConnection::OnTimer>(this)),
      continue_task_(Callback::To<&ServerConnection::Continue>(this)) {
  runtime.generation.Hold();
  const Loop& loop = runtime.worker.loop;
  info_.id = ++runtime.worker.last_connection_id;
  info_.listener = runtime.settings.name;
  info_.direct_remote = peer;
  info_.local = local;
  info_.start = loop.now();
  info_.fd = connection_.fd();
  SetRemote(peer);
  all_.PushBack(*this);
  runtime.stats.connections.Inc();
  runtime.stats.connections_active.Add();
}

ServerConnection::~ServerConnection() { runtime_->generation.Drop(); }

void ServerConnection::SetRuntime(ListenerRuntime& runtime) {
  runtime.generation.Hold();
  std::exchange(runtime_, &runtime)->generation.Drop();
  info_.listener = runtime.settings.name;
  SetRemote(info_.remote);
}

void ServerConnection::SetRemote(const Address& remote) {
  info_.remote = remote;
  remote_ip_ = remote.IpString();
  const ListenerSettings& settings = runtime_->settings;
  remote_is_trusted_ =
      std::any_of(settings.trusted_cidrs.begin(), settings.trusted_cidrs.end(),
                  [&](const Cidr& cidr) { return cidr.Contains(info_.direct_remote); });
}

void ServerConnection::Start() {
  if (runtime_->settings.proxy_protocol != ProxyProtocolMode::kOff && !info_.probe) {
    state_ = State::kProxyHeader;
    head_deadline_ = runtime_->worker.loop.now() + runtime_->settings.head_timeout;
    WatchDeadline(head_deadline_);
  }
  SetIdle();
  TakeControl();
  if (!connection_.Start(false)) Close();
}

void ServerConnection::SetIdle() {
  idle_since_ = runtime_->worker.loop.now();
  WatchDeadline(idle_since_ + runtime_->settings.keep_alive_timeout);
  ListNode<IdleConnectionsTag>::Unlink();
  idle_.PushBack(*this);
}

void ServerConnection::WatchDeadline(Nanos deadline) {
  if (deadline == 0) return;
  if (timer_.pending() && timer_.deadline() <= deadline) return;
  timer_.Start(deadline - runtime_->worker.loop.now());
}

void ServerConnection::OnTimer() {
  const Nanos now = runtime_->worker.loop.now();
  if (state_ == State::kFlushing) linger_deadline_ = FlushDeadline();
  if (state_ == State::kLingering || state_ == State::kFlushing) {
    if (now >= linger_deadline_) return Close();
    return WatchDeadline(linger_deadline_);
  }
  if (state_ == State::kProxyHeader && now >= head_deadline_) {
    runtime_->stats.head_timeouts.Inc();
    return Close();
  }
  if (streams_.empty()) {
    const Nanos deadline = idle_since_ + runtime_->settings.keep_alive_timeout;
    if (now < deadline) return WatchDeadline(deadline);
    runtime_->stats.connections_closed_idle.Inc();
    return codec_->CanReset() ? Drain() : Close();  // HTTP/2's peer is told why
  }
  if (head_deadline_ != 0 && now >= head_deadline_) {
    head_deadline_ = 0;
    failed_ = true;
    connection_.SetReading(false);
    streams_.back().OnHeadTimeout();
  }
  Nanos next = head_deadline_;
  streams_.ForEach([&](Stream& stream) {
    const Nanos look = stream.CheckTimeouts(now);
    if (look != 0 && (next == 0 || look < next)) next = look;
  });
  if (state_ != State::kClosed) WatchDeadline(next);
}

void ServerConnection::OnData(Buffer& in) {
  switch (state_) {
    case State::kLingering:
      in.Clear();
      if (connection_.bytes_read() - linger_from_ > kLingerBytes) Close();
      return;
    case State::kFlushing:
    case State::kClosed:
      return;
    case State::kProxyHeader:
      if (!ReadProxyHeader(in)) return;
      [[fallthrough]];
    case State::kOpen:
      Feed(in);
  }
}

bool ServerConnection::ReadProxyHeader(Buffer& in) {
  const std::string_view bytes = in.Flatten();
  ProxyHeader header;
  const ProxyHeaderResult result = ParseProxyHeader(bytes, header);
  switch (result.status) {
    case ProxyHeaderResult::Status::kNeedMore:
      return false;
    case ProxyHeaderResult::Status::kAbsent:
      if (runtime_->settings.proxy_protocol == ProxyProtocolMode::kOptional) break;
      [[fallthrough]];
    case ProxyHeaderResult::Status::kError:
      runtime_->stats.proxy_protocol_errors.Inc();
      Close();
      return false;
    case ProxyHeaderResult::Status::kDone:
      in.Consume(result.size);
      if (!header.source.empty()) {
        SetRemote(header.source);
        info_.local = header.destination;
      }
      break;
  }
  state_ = State::kOpen;
  head_deadline_ = 0;
  return !in.empty();
}

void ServerConnection::Feed(Buffer& in) {
  // A tunnel may begin behind the client's end, which the codec then tells of.
  if (failed_ || (in.empty() && !connection_.peer_closed())) return;
  feeding_ = true;
  Result<void> fed = codec_->Feed(in);
  feeding_ = false;
  if (close_due_) return FinishClose();
  TakeControl();
  if (!fed) return OnProtocolError(fed.error());
  if (!streams_.empty() && !streams_.back().head_complete() && head_deadline_ == 0) {
    head_deadline_ = runtime_->worker.loop.now() + runtime_->settings.head_timeout;
    WatchDeadline(head_deadline_);
  }
  UpdateReading();
}

void ServerConnection::OnProtocolError(const Error& error) {
  failed_ = true;
  connection_.SetReading(false);
  runtime_->stats.protocol_errors.Inc();
  if (codec_->CanReset()) {  // all streams are lost; the codec has said why
    FailStreams(ResponseFlag::kDownstreamProtocolError, error.detail);
    return CloseWhenWritten();
  }
  Stream* stream = streams_.empty() ? nullptr : &streams_.back();
  if (stream == nullptr) return Close();
  stream->OnProtocolError(error);
}

void ServerConnection::TakeControl() {
  codec_->TakeControl(connection_.output());
  if (!connection_.output().empty()) connection_.Write();
}

void ServerConnection::UpdateReading() {
  if (state_ != State::kOpen || connection_.closed()) return;
  bool read = !failed_ && codec_->WantsInput();
  if (read && !codec_->CanReset()) {
    read = streams_.empty() || !streams_.back().holds_input();
  }
  connection_.SetReading(read);
}

RequestHead& ServerConnection::OnRequestBegin(StreamId id) {
  if (streams_.empty()) ListNode<IdleConnectionsTag>::Unlink();
  Stream* stream = new Stream(*this, *runtime_, id);
  streams_.PushBack(*stream);
  current_ = stream;
  const uint64_t most = runtime_->settings.requests_per_connection;
  const ServerStatus& status = runtime_->worker.status;
  if (++requests_ == most || draining_ || status.ends_connections()) {
    if (status.overloaded(OverloadStep::kStopKeepAlive)) runtime_->stats.keep_alive_stopped.Inc();
    codec_->Drain(connection_.output());
  }
  return stream->head();
}

Stream* ServerConnection::Find(StreamId id) {
  if (current_ != nullptr && current_->id() == id) return current_;
  current_ = streams_.FindFirst([id](const Stream& stream) { return stream.id() == id; });
  return current_;
}

void ServerConnection::OnRequestHead(StreamId id, bool end) {
  head_deadline_ = 0;
  if (Stream* stream = Find(id)) stream->OnHead(end);
}

void ServerConnection::OnBody(StreamId id, Slice data) {
  if (Stream* stream = Find(id)) stream->OnBody(std::move(data));
}

void ServerConnection::OnTrailers(StreamId id, Headers& trailers) {
  if (Stream* stream = Find(id)) stream->OnTrailers(trailers);
}

void ServerConnection::OnEnd(StreamId id) {
  if (Stream* stream = Find(id)) stream->OnEnd();
}

void ServerConnection::OnReset(StreamId id, const Error& error) {
  Stream* stream = Find(id);
  if (stream == nullptr) return;
  if (error.code == Code::kReset || error.code == Code::kCanceled) {
    stream->OnClientGone(ResponseFlag::kDownstreamRemoteReset, "http2.remote_reset");
  } else if (!stream->OnProtocolError(error)) {
    stream->OnClientGone(ResponseFlag::kDownstreamProtocolError, error.detail);
  }
}

void ServerConnection::OnEncodeMore(StreamId id) {
  if (Stream* stream = Find(id)) stream->OnEncodeMore();
}

void ServerConnection::OnWritten() {
  if (state_ == State::kFlushing) {
    if (!connection_.output().empty()) return connection_.NotifyWritten();
    return StartLinger();
  }
  streams_.ForEach([](Stream& stream) { stream.OnWritable(); });
}

void ServerConnection::OnPeerClosed() {
  if (state_ == State::kLingering || state_ == State::kProxyHeader) return Close();
  if (state_ != State::kOpen) return;
  if (streams_.empty()) {  // the end of the last response may not have left yet
    return connection_.output().empty() ? Close() : CloseWhenWritten();
  }
  // A client that closes its side after a whole request still gets its answer.
  feeding_ = true;
  Result<void> end = codec_->FeedEnd();
  feeding_ = false;
  if (close_due_) return FinishClose();
  codec_->Drain(connection_.output());
  // With many streams it is over at once: no window would open any more.
  if (end && !codec_->CanReset() &&
      streams_.FindFirst([](const Stream& s) { return s.request_open(); }) == nullptr) {
    return;
  }
  FailStreams(ResponseFlag::kDownstreamConnectionTermination, "downstream_remote_disconnect");
  // The answer to the request before this one may not have left yet.
  connection_.output().empty() ? Close() : CloseWhenWritten();
}

void ServerConnection::OnFailed(const Error&) {
  if (state_ == State::kClosed) return;
  FailStreams(ResponseFlag::kDownstreamConnectionTermination, "downstream_remote_disconnect");
  Close();
}

void ServerConnection::FailStreams(ResponseFlag flag, std::string_view details) {
  streams_.ForEach([&](Stream& stream) { stream.OnClientGone(flag, details); });
}

void ServerConnection::OnStreamFinished(Stream& stream) {
  if (current_ == &stream) current_ = nullptr;
  const bool open = stream.request_open();
  if (open && codec_->CanReset() && state_ == State::kOpen) {  // nobody wants the rest
    codec_->EncodeReset(stream.id(), Code::kCanceled, connection_.output());
    connection_.Write();
  }
  unread_request_ = open || failed_;
  delete &stream;
  runtime_->stats.bytes_received.Inc(connection_.bytes_read() - counted_read_);
  runtime_->stats.bytes_sent.Inc(connection_.bytes_written() - counted_written_);
  counted_read_ = connection_.bytes_read();
  counted_written_ = connection_.bytes_written();
  if (state_ == State::kClosed) {
    if (streams_.empty()) FinishClose();
    return;
  }
  if (!streams_.empty()) return;
  const bool broken = failed_ || (open && !codec_->CanReset());
  // What a client sent before it closed its side may hold more requests.
  const bool over = connection_.peer_closed() && connection_.input().empty();
  if (broken || codec_->Finished() || over) return CloseWhenWritten();
  SetIdle();
  if (connection_.input().empty()) return UpdateReading();
  FeedLater();  // a pipelined request waits; from here it would nest a level deeper for each
}

void ServerConnection::Continue() {
  if (state_ == State::kOpen) Feed(connection_.input());
}

void ServerConnection::ResetStream(Stream& stream) {
  if (codec_->CanReset()) {
    codec_->EncodeReset(stream.id(), Code::kInternal, connection_.output());
    connection_.Write();
    return;
  }
  Close(true);
}

void ServerConnection::Drain() {
  draining_ = true;
  if (state_ == State::kProxyHeader) return Close();
  if (state_ != State::kOpen) return;
  codec_->Drain(connection_.output());
  if (streams_.empty()) return CloseWhenWritten();
  connection_.Write();
}

void ServerConnection::MakeRoom() { lingering() ? Close() : Drain(); }

void ServerConnection::Retire() {
  draining_ = true;
  if (state_ != State::kOpen || (streams_.empty() && !codec_->CanReset())) return;
  codec_->Drain(connection_.output());
  connection_.Write();
}

void ServerConnection::CloseWhenWritten() {
  if (state_ != State::kOpen) return;
  state_ = State::kFlushing;
  ListNode<IdleConnectionsTag>::Unlink();
  connection_.SetReading(false);
  idle_since_ = runtime_->worker.loop.now();
  WatchDeadline(FlushDeadline());
  connection_.NotifyWritten();
}

// A slow client gets all of its response, as long as it takes something now and then.
Nanos ServerConnection::FlushDeadline() const {
  const ListenerSettings& settings = runtime_->settings;
  const Nanos patience =
      settings.stream_idle_timeout > 0 ? settings.stream_idle_timeout : settings.keep_alive_timeout;
  return std::max(idle_since_, connection_.last_written()) + patience;
}

void ServerConnection::StartLinger() {
  // With nothing unread on our side, in the kernel neither, a plain close is no reset.
  const bool clean =
      !unread_request_ && connection_.input().empty() && !connection_.may_have_unread();
  if (clean || connection_.peer_closed() || connection_.write_failed()) return Close();
  state_ = State::kLingering;
  connection_.ShutdownWrite();
  connection_.input().Clear();
  linger_from_ = connection_.bytes_read();
  idle_since_ = runtime_->worker.loop.now();
  linger_deadline_ = idle_since_ + kLingerTime;
  timer_.Start(kLingerTime);
  idle_.PushFront(*this);
  connection_.SetReading(true);
}

void ServerConnection::Abort() {
  FailStreams(ResponseFlag::kLocalReset, "downstream_local_disconnect");
  Close(true);
}

void ServerConnection::Close(bool reset) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  close_reset_ = reset;
  timer_.Cancel();
  continue_task_.Cancel();
  ListNode<IdleConnectionsTag>::Unlink();
  FailStreams(ResponseFlag::kLocalReset, "downstream_local_disconnect");
  if (feeding_ || !streams_.empty()) {
    close_due_ = true;  // the codec, or a stream's finish task, comes back to FinishClose
    connection_.SetReading(false);
    return;
  }
  FinishClose();
}

void ServerConnection::FinishClose() {
  if (connection_.closed() || !streams_.empty()) return;
  runtime_->stats.bytes_received.Inc(connection_.bytes_read() - counted_read_);
  runtime_->stats.bytes_sent.Inc(connection_.bytes_written() - counted_written_);
  runtime_->stats.connections_active.Sub();
  connection_.Close(close_reset_);
  ListNode<AllConnectionsTag>::Unlink();
  owner_.OnConnectionClosed(*this);
  runtime_->worker.loop.Retire(std::unique_ptr<Retirable>(this));
}

}  // namespace sluice
