#include "core/upstream/upstream_request.h"

#include <utility>

#include "core/net/address.h"
#include "core/net/socket.h"
#include "core/upstream/pool.h"
#include "core/upstream/upstream_connection.h"

namespace sluice {

bool UpstreamRequest::TryStart(Pool& pool) {
  pool_ = &pool;
  return pool.TakeInto(*this);
}

void UpstreamRequest::Start(Pool& pool, const Address* client, const Address* client_local,
                            bool fresh_only, RequestPriority priority) {
  pool_ = &pool;
  client_ = client;
  client_local_ = client_local;
  fresh_only_ = fresh_only;
  priority_ = priority;
  pool.WaitFor(*this);
}

void UpstreamRequest::Cancel() {
  Unlink();
  if (connection_ != nullptr) connection_->Detach(*this, false);
}

void UpstreamRequest::SendHead(const RequestHead& head, bool end) {
  Buffer& out = connection_->connection_.output();
  stream_ = connection_->codec_->EncodeHead(head, end, out);
  if (end) connection_->codec_->EncodeEnd(stream_, nullptr, out);
  end_sent_ = end;
  if (!end) length_.Begin(head.headers);
  connection_->SetStream(*this, stream_);
  connection_->connection_.Write();
}

bool UpstreamRequest::SendBody(Buffer& data, bool end, const Headers* trailers) {
  if (!length_.Take(data.size(), end)) return false;
  Connection& connection = connection_->connection_;
  if (connection.write_failed()) {  // its answer may still come
    data.Clear();
    return true;
  }
  piece_end_ = end;
  trailers_ = trailers;
  if (rest_.empty()) {
    EncodePiece(data);
  } else {
    rest_.Append(std::move(data));
  }
  return true;
}

void UpstreamRequest::EncodePiece(Buffer& data) {
  Connection& connection = connection_->connection_;
  connection_->codec_->EncodeBody(stream_, data, connection.output());
  if (!data.empty()) {
    rest_ = std::move(data);
    return connection.Write();
  }
  if (piece_end_) {
    connection_->codec_->EncodeEnd(stream_, trailers_, connection.output());
    end_sent_ = true;
  }
  connection.Write();
  if (connection.Blocked()) connection.NotifyWritten();  // writable() says no until then
  if (!piece_end_ || !tunnel_) return;
  if (!connection_->codec_->CanReset()) connection.EndWhenWritten();
  connection.NotifyWritten();
}

void UpstreamRequest::OnEncodeMore() {
  Buffer rest = std::move(rest_);
  if (!rest.empty()) EncodePiece(rest);
  if (writable()) events_.OnUpstreamWritable();
}

bool UpstreamRequest::waits_for_room() const {
  if (!waiting()) return false;
  // One that takes many is on its way for all.
  return pool_->connecting_ == 0 || (wait_id_ == 0 && !pool_->multiplexed_);
}

bool UpstreamRequest::writable() const {
  return rest_.empty() && !connection_->connection_.Blocked();
}

bool UpstreamRequest::cannot_send() const {
  return connection_ == nullptr || connection_->connection_.write_failed();
}

bool UpstreamRequest::all_sent() const {
  if (cannot_send()) return true;
  if (!end_sent_) return false;
  return connection_->codec_->CanReset() || connection_->connection_.output().empty();
}

void UpstreamRequest::SetReading(bool reading) {
  if (connection_ == nullptr || connection_->paused_ == !reading) return;
  connection_->paused_ = !reading;
  connection_->UpdateReading();
}

void UpstreamRequest::Consumed(size_t bytes) {
  if (connection_ == nullptr || bytes == 0) return;
  Buffer& out = connection_->connection_.output();
  connection_->codec_->Consumed(stream_, bytes, out);
  if (!out.empty()) connection_->connection_.Write();
}

void UpstreamRequest::Tunnel() {
  if (connection_ == nullptr) return;
  tunnel_ = true;
  end_sent_ = false;
  length_.Release();
  connection_->codec_->Tunnel(stream_);
  connection_->feed_again_ = true;
}

bool UpstreamRequest::HasSent() const {
  return connection_ != nullptr && connection_->connection_.bytes_written() > written_before_;
}

Nanos UpstreamRequest::last_sent() const {
  if (connection_ == nullptr || connection_->codec_->CanReset()) return 0;
  return connection_->connection_.last_written();
}

Address UpstreamRequest::LocalAddress() const {
  return sluice::LocalAddress(connection_->connection_.fd());
}

}  // namespace sluice
