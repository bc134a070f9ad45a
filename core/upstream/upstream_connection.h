// UpstreamConnection: a connection to an endpoint with its codec, and the requests on it. Owned by
// its pool's lists; retires itself when it is closed. Of the worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_UPSTREAM_CONNECTION_H_
#define SLUICE_CORE_UPSTREAM_UPSTREAM_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/intrusive_list.h"
#include "core/event/loop.h"
#include "core/http/codec.h"
#include "core/net/connection.h"
#include "core/upstream/cluster_limits.h"

namespace sluice {

class Pool;
class UpstreamRequest;

class UpstreamConnection final : public Retirable,
                                 public ListNode<>,
                                 private ConnectionHandler,
                                 private ClientEvents {
 public:
  // Connects the socket of `transport` (connect(2) is under way), and sends `preface` first.
  // It may be for the client of one request only: `single_use`.
  UpstreamConnection(Pool& pool, Loop& loop, std::unique_ptr<Transport> transport,
                     std::string_view preface, bool single_use);
  ~UpstreamConnection() override;

  Result<void> Start(Nanos timeout);

  // May a request be attached? Not while connecting, nor when it is to be closed.
  bool CanOpen() const;
  bool connected() const { return connected_; }
  // Carries nothing, and Close() would close it now: not from inside its own callbacks.
  bool idle() const { return attached_ == 0 && !feeding_; }
  uint64_t id() const { return id_; }
  // Leaves the pool and retires.
  void Close();

 private:
  friend class Pool;
  friend class UpstreamRequest;

  struct Open {
    StreamId id;
    UpstreamRequest* request;
  };
  // Takes the head of a response that nobody waits for any more.
  struct Discarded {
    Arena arena;
    ResponseHead head{arena};
  };

  void Attach(UpstreamRequest& request);
  void SetStream(const UpstreamRequest& request, StreamId id);
  void Detach(UpstreamRequest& request, bool finished);
  UpstreamRequest* Find(StreamId id);
  void UpdateReading();
  void AfterFeed();
  void TakeControl();
  void FailAll(const Error& error);
  void OnConnectTimeout();
  void FlushStats();

  // ConnectionHandler
  void OnConnected() override;
  void OnData(Buffer& in) override;
  void OnPeerClosed() override;
  void OnWritten() override;
  void OnFailed(const Error& error) override;

  // ClientEvents
  ResponseHead& OnResponseBegin(StreamId id) override;
  void OnInformational(StreamId id) override;
  void OnResponseHead(StreamId id, bool end) override;
  void OnBody(StreamId id, Slice data) override;
  void OnTrailers(StreamId id, Headers& trailers) override;
  void OnEnd(StreamId id) override;
  void OnReset(StreamId id, const Error& error) override;
  void OnEncodeMore(StreamId id) override;
  void OnDraining() override { draining_ = true; }

  Pool* pool_;
  LimitPermit endpoint_permit_;  // the limits' counts of it
  LimitPermit cluster_permit_;
  Loop& loop_;
  Connection connection_;
  std::unique_ptr<ClientCodec> codec_;
  Open first_{};  // the only one on HTTP/1
  std::vector<Open> more_;
  std::unique_ptr<Discarded> discarded_;
  uint32_t attached_ = 0;
  uint64_t id_;
  uint64_t requests_ = 0;
  uint64_t wait_id_ = 0;  // of the request that it was started for
  uint64_t counted_read_ = 0;
  uint64_t counted_written_ = 0;
  Nanos started_;
  Nanos expires_ = 0;  // of age; 0: never
  Nanos idle_deadline_ = 0;
  Timer connect_timer_;
  bool connected_ = false;
  bool draining_ = false;
  bool paused_ = false;  // the one stream does not want its response now
  bool feeding_ = false;
  bool close_after_feed_ = false;
  bool feed_again_ = false;  // a tunnel began; its first bytes may stand in the input already
  bool ready_ = false;       // in the pool's list of those that take requests
  bool single_use_ = false;  // it began with a PROXY header that names one client
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_UPSTREAM_CONNECTION_H_
