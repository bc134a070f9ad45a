// Router: the last filter of ordinary listeners: finds the cluster that the route names, and the
// endpoint, sends the request there, and brings the response back. One per stream.
//
// A try that came to nothing is followed by another where RetryState says so. Nothing of a response
// that is tried again goes to the client.
#ifndef SLUICE_CORE_PROXY_ROUTER_H_
#define SLUICE_CORE_PROXY_ROUTER_H_

#include <cstdint>
#include <string_view>

#include "core/event/loop.h"
#include "core/filter/last_filter.h"
#include "core/proxy/endpoint_choice.h"
#include "core/proxy/listener_runtime.h"
#include "core/proxy/mirror.h"
#include "core/proxy/retry_state.h"
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
  Nanos LastMoved() const override { return try_.request().last_sent(); }
  void OnAbandoned() override;

 private:
  // A request's body is kept for a second try up to so many bytes.
  static constexpr size_t kReplayLimit = 64 * 1024;

  // From the try.
  friend class UpstreamTry;
  void OnTryReady(UpstreamTry& attempt);
  ResponseHead& OnTryBegin(UpstreamTry& attempt);
  const ResponseHead& HeadOf(const UpstreamTry&) const { return responder_.response_head(); }
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
  void StartTry(bool fresh_only);
  void SendRequest();
  void PullMore();
  void SendBody(Buffer& data, bool end);
  void KeepForReplay(const Buffer& data);
  void RequestSent();
  void StartTryTimer();
  RetryState::Situation SituationNow();
  void OnBackOffOver();
  bool IsUpgradeAskedFor() const;
  void FailBeforeResponse(const Error& error);
  void OnRouteTimeout();
  void TimeOut(std::string_view details);
  void Pump();
  void Fail(uint16_t status, ResponseFlag flag, std::string_view details, std::string_view body,
            TryOutcome outcome = TryOutcome::kCancelled);
  void EndTunnelIfOver();
  void Stop(TryOutcome outcome = TryOutcome::kCancelled);

  Responder& responder_;
  ListenerRuntime& runtime_;
  WorkerCluster* cluster_ = nullptr;
  RequestHead* head_ = nullptr;
  EndpointChoice choice_;
  UpstreamTry try_;
  RetryState retries_;
  Mirror mirror_;
  Timer route_timer_;
  Timer back_off_timer_;  // pending: no try is under way, or one that is discarded
  Task pump_task_;
  Buffer replay_;
  Buffer response_body_;
  Headers* request_trailers_ = nullptr;
  Headers* response_trailers_ = nullptr;
  bool request_has_body_ = false;
  bool request_end_ = false;  // all of it has come to us
  bool pull_outstanding_ = false;
  bool replay_whole_ = true;  // replay_ holds everything of the body so far
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
