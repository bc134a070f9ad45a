#include "core/upstream/upstream_connection.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/random.h"
#include "core/upstream/pool.h"
#include "core/upstream/upstream_request.h"

namespace sluice {
namespace {

// Counts the connections of a thread, for logs.
uint64_t NextId() {
  thread_local uint64_t last = 0;
  return ++last;
}

}  // namespace

UpstreamConnection::UpstreamConnection(Pool& pool, Loop& loop, std::unique_ptr<Transport> transport,
                                       std::string_view preface, bool single_use)
    : pool_(&pool),
      loop_(loop),
      connection_(loop, *this, std::move(transport), Side::kUpstream),
      codec_(pool.settings_.new_codec(*this, pool.settings_.codec)),
      id_(NextId()),
      started_(loop.now()),
      connect_timer_(loop, Callback::To<&UpstreamConnection::OnConnectTimeout>(this)),
      single_use_(single_use) {
  if (const Nanos age = pool.settings_.pool.max_age; age > 0) {
    const double spread = 0.8 + 0.4 * pool.random_.Fraction();
    expires_ = started_ + static_cast<Nanos>(static_cast<double>(age) * spread);
  }
  connection_.output().Append(preface);
  codec_->TakeControl(connection_.output());
}

UpstreamConnection::~UpstreamConnection() = default;

Result<void> UpstreamConnection::Start(Nanos timeout) {
  SLUICE_TRY(connection_.Start(true));
  connect_timer_.Start(timeout);
  return {};
}

bool UpstreamConnection::CanOpen() const {
  const uint64_t most = pool_->settings_.pool.max_requests;
  return connected_ && !draining_ && !connection_.closed() && !connection_.peer_closed() &&
         !connection_.write_failed() && codec_->CanOpen() && (most == 0 || requests_ < most) &&
         (expires_ == 0 || loop_.now() < expires_) && !(single_use_ && requests_ > 0);
}

void UpstreamConnection::Close() {
  if (connection_.closed()) return;
  if (feeding_) {
    close_after_feed_ = true;
    return;
  }
  CHECK(attached_ == 0);
  FlushStats();
  pool_->Remove(*this);
  connect_timer_.Cancel();
  connection_.Close();
  loop_.Retire(std::unique_ptr<Retirable>(this));
}

void UpstreamConnection::FlushStats() {
  ClusterStats& stats = pool_->stats_;
  stats.bytes_received.Inc(connection_.bytes_read() - counted_read_);
  stats.bytes_sent.Inc(connection_.bytes_written() - counted_written_);
  counted_read_ = connection_.bytes_read();
  counted_written_ = connection_.bytes_written();
}

void UpstreamConnection::Attach(UpstreamRequest& request) {
  ++attached_;
  if (first_.request == nullptr) {
    first_ = Open{0, &request};
  } else {
    more_.push_back(Open{0, &request});
  }
  ++requests_;
  request.connection_ = this;
  request.stream_ = 0;
  request.sent_any_ = false;
  request.end_sent_ = false;
  request.tunnel_ = false;
  request.connection_id_ = id_;
  request.connected_at_ = loop_.now();
  request.written_before_ = connection_.bytes_written();
  paused_ = false;
  UpdateReading();
}

void UpstreamConnection::SetStream(const UpstreamRequest& request, StreamId id) {
  if (first_.request == &request) {
    first_.id = id;
    return;
  }
  for (Open& open : more_) {
    if (open.request == &request) open.id = id;
  }
}

void UpstreamConnection::Detach(UpstreamRequest& request, bool finished) {
  request.sent_any_ = request.HasSent();
  request.connection_ = nullptr;
  const StreamId id = request.stream_;
  if (first_.request == &request) {
    first_ = Open{};
  } else {
    more_.erase(std::find_if(more_.begin(), more_.end(),
                             [&](const Open& open) { return open.request == &request; }));
  }
  --attached_;
  request.rest_.Clear();
  if (!codec_->CanReset()) {
    if (!finished) Close();
    return;
  }
  if (!finished && id != 0) {
    codec_->EncodeReset(id, Code::kCanceled, connection_.output());
    connection_.Write();
  }
  if (attached_ > 0) return pool_->ServeWaiting();
  pool_->RenewIdle(*this);
  if (!feeding_ && !CanOpen()) Close();
}

UpstreamRequest* UpstreamConnection::Find(StreamId id) {
  if (first_.id == id && first_.request != nullptr) return first_.request;
  for (const Open& open : more_) {
    if (open.id == id) return open.request;
  }
  return nullptr;  // cancelled
}

void UpstreamConnection::UpdateReading() {
  if (connection_.closed()) return;
  connection_.SetReading(codec_->CanReset() || !paused_);
}

void UpstreamConnection::OnConnected() {
  connect_timer_.Cancel();
  connected_ = true;
  pool_->OnConnectionReady(*this);
}

void UpstreamConnection::OnConnectTimeout() {
  pool_->OnConnectionFailed(
      *this, Error{Code::kTimeout, Side::kUpstream, Retry::kSafe, "connect: timed out"});
}

void UpstreamConnection::OnData(Buffer& in) {
  if (attached_ == 0 && !codec_->CanReset()) {
    // Nobody asked: a late answer, or an error message before closing.
    pool_->stats_.connections_closed_idle.Inc();
    return Close();
  }
  feeding_ = true;
  Result<void> fed = codec_->Feed(in);
  while (fed && std::exchange(feed_again_, false)) fed = codec_->Feed(in);
  feeding_ = false;
  TakeControl();
  if (!fed) {
    pool_->stats_.protocol_errors.Inc();
    return FailAll(fed.error());
  }
  AfterFeed();
}

void UpstreamConnection::TakeControl() {
  codec_->TakeControl(connection_.output());
  if (!connection_.output().empty()) connection_.Write();
}

void UpstreamConnection::AfterFeed() {
  if (close_after_feed_) {
    close_after_feed_ = false;
    return Close();
  }
  if (attached_ > 0) return UpdateReading();
  FlushStats();
  // What came behind an HTTP/1 response was not asked for.
  if (!CanOpen() || (!codec_->CanReset() && !connection_.input().empty())) return Close();
  paused_ = false;
  UpdateReading();
  if (!ready_) pool_->OnConnectionIdle(*this);
}

void UpstreamConnection::OnPeerClosed() {
  if (attached_ == 0) {
    pool_->stats_.connections_closed_idle.Inc();
    return Close();
  }
  feeding_ = true;
  Result<void> end = codec_->FeedEnd();
  feeding_ = false;
  if (!end) {
    if (end.error().code != Code::kClosed) pool_->stats_.protocol_errors.Inc();
    return FailAll(end.error());
  }
  // The other way of a tunnel goes on.
  if (!codec_->CanReset() && first_.request != nullptr && first_.request->tunnel_) return;
  close_after_feed_ = false;
  FailAll(Error{Code::kClosed, Side::kUpstream, Retry::kIfReused, "upstream closed"});
}

void UpstreamConnection::OnFailed(const Error& error) {
  if (!connected_) {
    connect_timer_.Cancel();
    Error failure = error;
    failure.retry = Retry::kSafe;
    return pool_->OnConnectionFailed(*this, failure);
  }
  if (connection_.write_failed() && !connection_.peer_closed()) {
    // An answer may have come before the reset: it is read first, then reading fails too.
    draining_ = true;
    if (attached_ > 0) {
      paused_ = false;
      return UpdateReading();
    }
  }
  if (attached_ == 0) pool_->stats_.connections_closed_idle.Inc();
  Error failure = error;
  failure.retry = Retry::kIfReused;
  FailAll(failure);
}

void UpstreamConnection::FailAll(const Error& error) {
  draining_ = true;
  feeding_ = true;  // what the handlers cancel is closed once, below
  while (attached_ > 0) {
    const Open open = first_.request != nullptr ? first_ : more_.back();
    UpstreamEvents& events = open.request->events_;
    Detach(*open.request, true);
    pool_->stats_.resets.Inc();
    events.OnUpstreamFailed(error);
  }
  feeding_ = false;
  close_after_feed_ = false;
  Close();
}

void UpstreamConnection::OnWritten() {
  // From the end: a handler may cancel its own request.
  for (size_t i = more_.size(); i > 0; --i) {
    if (i <= more_.size()) more_[i - 1].request->events_.OnUpstreamWritable();
  }
  if (first_.request != nullptr) first_.request->events_.OnUpstreamWritable();
}

ResponseHead& UpstreamConnection::OnResponseBegin(StreamId id) {
  UpstreamRequest* request = Find(id);
  if (request != nullptr) return request->events_.OnUpstreamBegin();
  discarded_ = std::make_unique<Discarded>();
  return discarded_->head;
}

void UpstreamConnection::OnInformational(StreamId id) {
  if (UpstreamRequest* request = Find(id)) request->events_.OnUpstreamInformational();
}

void UpstreamConnection::OnResponseHead(StreamId id, bool end) {
  if (UpstreamRequest* request = Find(id)) request->events_.OnUpstreamHead(end);
}

void UpstreamConnection::OnBody(StreamId id, Slice data) {
  if (UpstreamRequest* request = Find(id)) request->events_.OnUpstreamBody(std::move(data));
}

void UpstreamConnection::OnTrailers(StreamId id, Headers& trailers) {
  if (UpstreamRequest* request = Find(id)) request->events_.OnUpstreamTrailers(trailers);
}

void UpstreamConnection::OnEnd(StreamId id) {
  UpstreamRequest* request = Find(id);
  if (request == nullptr) return;
  if (request->tunnel_) return request->events_.OnUpstreamEnd();
  // With many streams, one whose request is not all sent is to be ended; HTTP/1 closes (CanOpen).
  Detach(*request, request->end_sent_ || !codec_->CanReset());
  request->events_.OnUpstreamEnd();
}

void UpstreamConnection::OnReset(StreamId id, const Error& error) {
  UpstreamRequest* request = Find(id);
  if (request == nullptr) return;
  Detach(*request, true);
  request->events_.OnUpstreamFailed(error);
}

void UpstreamConnection::OnEncodeMore(StreamId id) {
  if (UpstreamRequest* request = Find(id)) request->OnEncodeMore();
}

}  // namespace sluice
