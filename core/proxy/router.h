// Router: the last filter of ordinary listeners: finds the cluster that the route names, and the
// endpoint, sends the request there, and brings the response back. One per stream.
//
// A try that came to nothing is followed by another where RetryState says so. A response that asks
// for another try is held until that begins, and passed on if it may not: the upstream's own answer
// says more than ours, that there was no room for a second one. A second try may run beside the
// first one (Hedge): the first good answer ends the other. What fails in the end is answered by a
// fallback of the route, or by us. The way back is in router_response.cc, second tries are in
// router_hedging.cc, fallbacks in router_fallbacks.cc.
#ifndef SLUICE_CORE_PROXY_ROUTER_H_
#define SLUICE_CORE_PROXY_ROUTER_H_

#include <cstdint>
#include <string_view>

#include "core/event/loop.h"
#include "core/filter/last_filter.h"
#include "core/proxy/bulkhead_pass.h"
#include "core/proxy/endpoint_choice.h"
#include "core/proxy/failure.h"
#include "core/proxy/hedge.h"
#include "core/proxy/listener_runtime.h"
#include "core/proxy/mirror.h"
#include "core/proxy/retry_state.h"
#include "core/proxy/route_resilience.h"
#include "core/proxy/upstream_try.h"
#include "core/upstream/worker_cluster.h"

namespace sluice {

class Router final : public LastFilter {
 public:
  Router(Responder& responder, ListenerRuntime& runtime);
  ~Router() override;

  void OnRequestHeaders(RequestHead& head, bool end) override;
  void OnRequestBody(Buffer& data, bool end, Headers* trailers) override;
  void OnResponseWanted() override;
  Nanos LastMoved() const override { return try_->request().last_sent(); }
  void OnAbandoned() override;

 private:
  // A request's body is kept for a second try up to so many bytes.
  static constexpr size_t kReplayLimit = 64 * 1024;
  // Which try of the request it is, from 1: to the upstream and to the client, unless it is the
  // first.
  static constexpr std::string_view kAttemptCount = "x-sluice-attempt-count";
  // Which failure the answer to the client stands in for.
  static constexpr std::string_view kFallback = "x-sluice-fallback";

  // From the try.
  friend class UpstreamTry;
  void OnTryReady(UpstreamTry& attempt);
  ResponseHead& OnTryBegin(UpstreamTry& attempt);
  ResponseHead& HeadOf(const UpstreamTry& attempt);
  // When the last of the request went to a try; 0: it has not.
  Nanos request_sent_at() const { return responder_.stream_info().upstream_end; }
  void OnTryInformational(UpstreamTry& attempt);
  void OnTryHead(UpstreamTry& attempt, bool end);
  void OnTryBody(UpstreamTry& attempt, Slice data);
  void OnTryTrailers(UpstreamTry& attempt, Headers& trailers);
  void OnTryEnd(UpstreamTry& attempt);
  void OnTryFailed(UpstreamTry& attempt, const Error& error);
  void OnTryTimeout(UpstreamTry& attempt);
  void OnTryWritable(UpstreamTry& attempt);

  void Redirect(const Route& route, RequestHead& head);
  void ApplyRoute(const Route& route, RequestHead& head);
  // The request as the route wants it goes to cluster_.
  void Begin();
  void UseCluster();
  // Through the bulkheads; false: not at once, or not at all.
  bool Enter();
  // `of_route`: its bulkhead; null: none. Before the route changes the request.
  void MakePass(Bulkhead* of_route);
  void OnEntered();
  void Refuse(std::string_view details, ResponseFlag flag);
  void Forward();
  void StartTry(bool fresh_only);
  // False: it may not even wait for a connection.
  bool BeginAt(UpstreamTry& attempt, WorkerEndpoint& endpoint, bool fresh_only);
  void SendRequest(UpstreamTry& attempt);
  void PullMore();
  void SendBody(Buffer& data, bool end);
  void KeepForReplay(const Buffer& data);
  void RequestSent();
  void StartTryTimer(UpstreamTry& attempt);
  // The route's time, and the try's, run while the request waits for us or for the upstream, and
  // not while we wait for the client to send its body.
  void RunRouteTimer();
  void HoldTimers();
  RetryState::Situation SituationNow();
  void OnBackOffOver();
  void ArmHedge();
  void OnHedgeDue();
  // The other try, if it is under way; else null.
  UpstreamTry* RivalOf(const UpstreamTry& attempt);
  // This one came to nothing. True: the other one goes on.
  bool LeavesToRival(const UpstreamTry& attempt);
  // Its head is there. False: that is all there is to it, it is left to the other one. Else that
  // one is over.
  bool OutrunsRival(UpstreamTry& attempt);
  void CountHedge(const UpstreamTry& attempt);
  bool IsUpgradeAskedFor() const;
  // The response in its head goes to the client.
  void TakeResponse(const UpstreamTry& attempt);
  void PassOn();
  // A fallback stands in for its status.
  bool FallsBack(uint16_t status);
  // A try may not begin.
  void RefuseTry(Failure failure);
  void PassHeld();
  void DropHeld();
  void FailBeforeResponse(const Error& error);
  void OnResponseCut(const Error& error);
  void OnRouteTimeout();
  void TimeOut(std::string_view details);
  void Pump();
  // That of the route for the cluster, if it is one of its own: what stands in for them is not to
  // be blamed. Null: none.
  Breaker* route_breaker() const {
    if (resilience_ == nullptr || resilience_->breakers == nullptr || next_fallback_ > 0) {
      return nullptr;
    }
    return resilience_->breakers[responder_.stream_info().route_choice].get();
  }
  // Null: the route has none.
  const RouteFallbacks* fallbacks() const {
    return resilience_ == nullptr ? nullptr : resilience_->fallbacks;
  }
  // The one way in which requests end that no upstream answers.
  void Fail(Failure failure);
  void Answer(LocalReply reply, const Failure& failure);
  // True: it answers, or its cluster is asked.
  bool TakeFallback(const Failure& failure);
  void AnswerWith(const RouteFallbacks::Entry& entry, const Failure& failure);
  void GoTo(WorkerCluster& cluster, const Failure& failure);
  // Nothing of its response is wanted; its connection may serve others.
  void Drop(UpstreamTry& attempt);
  void EndTunnelIfOver();
  // `dropped`, if it is not null, is read to its end by itself.
  void Stop(TryOutcome outcome = TryOutcome::kCancelled, const UpstreamTry* dropped = nullptr);

  Responder& responder_;
  ListenerRuntime& runtime_;
  WorkerCluster* cluster_ = nullptr;
  RequestHead* head_ = nullptr;
  RouteResilience* resilience_ = nullptr;  // null: the route has none
  ArenaPtr<BulkheadPass> pass_;            // null: there are no bulkheads on the way
  EndpointChoice choice_;
  UpstreamTry first_;
  ArenaPtr<Hedge> hedge_;  // null: none is to begin
  UpstreamTry* try_;       // the one that counts: the last begun, unless both are under way
  RetryState retries_;
  Mirror mirror_;
  Timer route_timer_;
  Nanos route_left_ = 0;  // of the route's time, when it was last held; 0: all of it
  Timer back_off_timer_;  // pending: no try is under way, or one that is discarded
  Task pump_task_;
  Buffer replay_;
  Buffer response_body_;
  Headers* request_trailers_ = nullptr;
  Headers* response_trailers_ = nullptr;
  std::string_view fallback_reason_;  // empty: none was taken
  // Of the answer that the try about to begin is made for, whether it is held or not; 0: none.
  uint16_t retried_status_ = 0;
  uint32_t next_fallback_ = 0;  // those before it were taken
  bool begun_ = false;
  bool hedgeable_ = false;
  bool hedging_ = false;  // a second try was begun, and none since
  bool shed_ = false;     // and counted
  bool mirrored_ = false;
  bool cluster_changes_ = false;  // when back_off_timer_ fires
  bool request_has_body_ = false;
  bool request_end_ = false;  // all of it has come to us
  bool pull_outstanding_ = false;
  bool replay_whole_ = true;  // replay_ holds everything of the body so far
  bool held_ = false;         // a response waits until another try begins, or may not
  bool response_started_ = false;
  bool response_end_ = false;
  bool response_passed_ = false;  // the responder was given its end
  bool stopped_ = false;
  bool tunnel_ = false;
};

class RouterFactory final : public LastFilterFactory {
 public:
  // The runtime that owns the factory; set right after its construction.
  void set_runtime(ListenerRuntime& runtime) { runtime_ = &runtime; }
  ArenaPtr<LastFilter> Create(Responder& responder) override;

 private:
  ListenerRuntime* runtime_ = nullptr;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_ROUTER_H_
