// UpstreamTry: one try of a request at one endpoint: the endpoint, the exchange, its time-out, what
// is counted of it, and the one time that it is judged (TryOutcome). A member of the router, used
// again for the next try; of the worker's thread. The router hears of what happens with the try as
// the first argument.
#ifndef SLUICE_CORE_PROXY_UPSTREAM_TRY_H_
#define SLUICE_CORE_PROXY_UPSTREAM_TRY_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/event/loop.h"
#include "core/upstream/breaker/breaker_call.h"
#include "core/upstream/try_meter.h"
#include "core/upstream/upstream_request.h"
#include "core/upstream/worker_cluster.h"

namespace sluice {

class Router;

class UpstreamTry final : private UpstreamEvents {
 public:
  // `router` owns it.
  UpstreamTry(Router& router, Loop& loop);
  ~UpstreamTry() { Stop(); }

  // Begins at `endpoint`, of `cluster`. REQUIRES: not under way.
  void Begin(WorkerCluster& cluster, WorkerEndpoint& endpoint);
  // Its end is counted, and what is left of the exchange cancelled. May be called at any time.
  void Stop(TryOutcome outcome = TryOutcome::kCancelled);
  // Its response has no end soon: its head is all there is to judge. REQUIRES: responded().
  void JudgeByHead() { Judge(TryOutcome::kAnswered); }
  // What comes of it from here on is dropped. The connection may serve others afterwards, if the
  // rest is short; Stop ends the wait for it.
  void Discard();
  void StartTimer(Nanos timeout) { timer_.Start(timeout); }
  void CancelTimer() { timer_.Cancel(); }

  // Those that it is to pass before Begin.
  BreakerCall& breakers() { return breakers_; }
  // May one more try be made (before Begin), and may it wait for a connection (after it), as far as
  // the cluster's limits go?
  bool TakeRequest(WorkerCluster& cluster, RequestPriority priority);
  bool TakePending(RequestPriority priority);
  UpstreamRequest& request() { return request_; }
  const UpstreamRequest& request() const { return request_; }
  // Of the try under way or the last one; null: there was none. Valid while it lasts.
  WorkerEndpoint* endpoint() const { return endpoint_; }
  // A connection was there, and the head was given to it.
  bool head_sent() const { return head_sent_; }
  void set_head_sent() { head_sent_ = true; }
  bool responded() const { return status_ != 0; }
  // Begun, and neither stopped nor over.
  bool under_way() const { return counted_ && !discarded_; }

 private:
  // Of a response that is dropped: beyond so much the connection is closed instead.
  static constexpr size_t kMostDiscarded = 64 * 1024;

  // UpstreamEvents
  void OnUpstreamReady() override;
  ResponseHead& OnUpstreamBegin() override;
  void OnUpstreamInformational() override;
  void OnUpstreamHead(bool end) override;
  void OnUpstreamBody(Slice data) override;
  void OnUpstreamTrailers(Headers& trailers) override;
  void OnUpstreamEnd() override;
  void OnUpstreamFailed(const Error& error) override;
  void OnUpstreamWritable() override;

  void OnTimeout();
  // As VerdictOf says, if nobody has.
  void Judge(TryOutcome outcome);
  // How long the request, or the try if that began later, has been waiting for its response; 0: it
  // is not sent yet.
  Nanos Latency() const;
  // Counts the end, once.
  void Count(TryOutcome outcome);

  Router& router_;
  Loop& loop_;
  WorkerCluster* cluster_ = nullptr;
  WorkerEndpoint* endpoint_ = nullptr;
  TryMeter meter_;
  BreakerCall breakers_;
  LimitPermit in_flight_;
  LimitPermit pending_;
  UpstreamRequest request_;
  Timer timer_;  // of the try; once that was answered, until it is to be judged
  Nanos started_ = 0;
  Nanos answered_ = 0;
  size_t dropped_ = 0;   // bytes of the response's body
  uint16_t status_ = 0;  // of the response; 0: none has come
  bool head_sent_ = false;
  bool counted_ = false;  // in the active gauge
  bool judged_ = true;
  bool discarded_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_UPSTREAM_TRY_H_
