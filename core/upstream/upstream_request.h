// UpstreamRequest: one try of a request at one endpoint: the wait for a connection, then the stream
// on it. A member of its waiter (the router, a mirror, a client); destroying it cancels, after
// which nothing is called.
#ifndef SLUICE_CORE_UPSTREAM_UPSTREAM_REQUEST_H_
#define SLUICE_CORE_UPSTREAM_UPSTREAM_REQUEST_H_

#include <cstdint>

#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/intrusive_list.h"
#include "core/base/result.h"
#include "core/http/body_length.h"
#include "core/http/codec.h"
#include "core/http/message.h"
#include "core/upstream/request_priority.h"

namespace sluice {

class Address;
class Pool;
class UpstreamConnection;

class UpstreamEvents {
 public:
  // A connection is there: SendHead may be called.
  virtual void OnUpstreamReady() = 0;
  // A response (or an informational one) begins; the head to fill in.
  virtual ResponseHead& OnUpstreamBegin() = 0;
  virtual void OnUpstreamInformational() = 0;
  virtual void OnUpstreamHead(bool end) = 0;
  virtual void OnUpstreamBody(Slice data) = 0;
  virtual void OnUpstreamTrailers(Headers& trailers) = 0;
  // The response is complete. The request is detached from its connection; a tunnel's stays on it
  // until it is cancelled, since the other way goes on.
  virtual void OnUpstreamEnd() = 0;
  // It is over without a (whole) response; the request is detached. connecting(): no connection
  // could be had.
  virtual void OnUpstreamFailed(const Error& error) = 0;
  // writable() again.
  virtual void OnUpstreamWritable() = 0;

 protected:
  ~UpstreamEvents() = default;
};

class UpstreamRequest : private ListNode<> {
 public:
  explicit UpstreamRequest(UpstreamEvents& events) : events_(events) {}
  ~UpstreamRequest() { Cancel(); }

  // Takes a ready connection of the pool now, or says no.
  bool TryStart(Pool& pool);
  // Waits for one; OnUpstreamReady or OnUpstreamFailed follows. `client` is told to the endpoint in
  // the PROXY header of clusters that send it; it lives until then.
  // `fresh_only`: not one that served others before. `priority`: which limits hold for the
  // connection that is opened for it.
  void Start(Pool& pool, const Address* client, const Address* client_local, bool fresh_only,
             RequestPriority priority = RequestPriority::kNormal);
  // Gives up: HTTP/1 closes the connection, others reset the stream.
  void Cancel();

  // REQUIRES: ready().
  void SendHead(const RequestHead& head, bool end);
  // Takes the data. `end`: nothing follows but `trailers`, which may be null. False: it is not the
  // body that the head announced; nothing of this piece was sent, and the caller is to give up.
  [[nodiscard]] bool SendBody(Buffer& data, bool end, const Headers* trailers);
  // May more of the body be sent?
  bool writable() const;
  // Lets response bytes come, or holds them back. A multiplexed connection is always read.
  void SetReading(bool reading);
  // `bytes` of the response's body were taken. On a multiplexed connection the rest waits with the
  // peer.
  void Consumed(size_t bytes);
  // After 101 or a 2xx to CONNECT, inside OnUpstreamHead.
  void Tunnel();
  bool tunnel() const { return tunnel_; }
  // Has all that was given to SendBody, with its end, left? True too where nothing can leave any
  // more. OnUpstreamWritable follows when a tunnel's end has.
  bool all_sent() const;
  // Nothing more can be sent: the connection is gone, or takes nothing.
  bool cannot_send() const;

  bool ready() const { return connection_ != nullptr; }
  bool waiting() const { return linked(); }
  // Waits, and no connection is on its way for it: our own limits allow none.
  bool waits_for_room() const;
  bool reused() const { return reused_; }
  // Did any byte of the request leave through a system call?
  bool sent_any() const { return sent_any_ || HasSent(); }
  uint64_t connection_id() const { return connection_id_; }
  // The socket's own address, for logs. REQUIRES: ready().
  Address LocalAddress() const;
  // When the endpoint last took something of it; 0: never, or many requests share the connection.
  Nanos last_sent() const;
  Nanos connected_at() const { return connected_at_; }

 private:
  bool HasSent() const;
  void EncodePiece(Buffer& data);
  // The peer's window has room for what waited for it.
  void OnEncodeMore();
  friend class Pool;
  friend class UpstreamConnection;
  template <typename T, typename Tag>
  friend class List;

  UpstreamEvents& events_;
  Pool* pool_ = nullptr;
  UpstreamConnection* connection_ = nullptr;
  const Address* client_ = nullptr;
  const Address* client_local_ = nullptr;
  const Headers* trailers_ = nullptr;
  Buffer rest_;  // of the body's last piece: it waits for the peer's window
  uint64_t connection_id_ = 0;
  uint64_t wait_id_ = 0;  // of the connection that Start started for it
  uint64_t written_before_ = 0;
  Nanos connected_at_ = 0;
  BodyLength length_;
  StreamId stream_ = 0;
  bool reused_ = false;
  bool fresh_only_ = false;
  RequestPriority priority_ = RequestPriority::kNormal;
  bool tunnel_ = false;
  bool sent_any_ = false;   // when it was detached
  bool piece_end_ = false;  // the piece that is encoded now is the last
  bool end_sent_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_UPSTREAM_REQUEST_H_
