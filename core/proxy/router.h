// Router: the last filter of ordinary listeners: finds the cluster that the route names, and the
// endpoint, sends the request there, and brings the response back. One per stream.
//
// A try that failed before it can have been acted upon is repeated, silently and once for each
// reason: at another endpoint when the connect failed, on a fresh connection when a reused one
// turned out to be closed (RFC 9112 9.3.1).
#ifndef SLUICE_CORE_PROXY_ROUTER_H_
#define SLUICE_CORE_PROXY_ROUTER_H_

#include <cstdint>
#include <string_view>

#include "core/event/loop.h"
#include "core/filter/last_filter.h"
#include "core/proxy/endpoint_choice.h"
#include "core/proxy/listener_runtime.h"
#include "core/proxy/mirror.h"
#include "core/upstream/try_meter.h"
#include "core/upstream/upstream_request.h"
#include "core/upstream/worker_cluster.h"

namespace sluice {

class Router final : public LastFilter, private UpstreamEvents {
 public:
  Router(Responder& responder, ListenerRuntime& runtime);
  ~Router() override;

  void OnRequestHeaders(RequestHead& head, bool end) override;
  void OnRequestBody(Buffer& data, bool end, Headers* trailers) override;
  void OnResponseWanted() override;
  Nanos LastMoved() const override { return upstream_.last_sent(); }
  void OnAbandoned() override;

 private:
  // A request's body is kept for a second try up to so many bytes.
  static constexpr size_t kReplayLimit = 64 * 1024;

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

  void Redirect(const Route& route, RequestHead& head);
  void ApplyRoute(const Route& route, RequestHead& head);
  void StartTry(bool fresh_only);
  void SendRequest();
  void PullMore();
  void SendBody(Buffer& data, bool end);
  void KeepForReplay(const Buffer& data);
  void RequestSent();
  void StartTryTimer();
  bool RetryAfter(const Error& error);
  bool IsUpgradeAskedFor() const;
  void FailBeforeResponse(const Error& error);
  void OnRouteTimeout();
  void OnTryTimeout();
  void TimeOut(std::string_view details);
  void Pump();
  void Fail(uint16_t status, ResponseFlag flag, std::string_view details, std::string_view body,
            TryOutcome outcome = TryOutcome::kCancelled);
  void EndTry(TryOutcome outcome);
  void EndTunnelIfOver();
  void Stop(TryOutcome outcome = TryOutcome::kCancelled);

  Responder& responder_;
  ListenerRuntime& runtime_;
  WorkerCluster* cluster_ = nullptr;
  WorkerEndpoint* endpoint_ = nullptr;  // of the try; valid while it lasts
  RequestHead* head_ = nullptr;
  EndpointChoice choice_;
  TryMeter meter_;
  UpstreamRequest upstream_;
  Mirror mirror_;
  Timer route_timer_;
  Timer try_timer_;
  Task pump_task_;
  Buffer replay_;
  Buffer response_body_;
  Headers* request_trailers_ = nullptr;
  Headers* response_trailers_ = nullptr;
  bool request_has_body_ = false;
  bool request_end_ = false;  // all of it has come to us
  bool pull_outstanding_ = false;
  bool replay_whole_ = true;  // replay_ holds everything of the body so far
  bool head_sent_ = false;    // in this try
  bool response_started_ = false;
  bool response_end_ = false;
  bool response_passed_ = false;  // the responder was given its end
  bool connect_retried_ = false;
  bool stale_retried_ = false;
  bool counted_ = false;  // the try is in the active gauge
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
