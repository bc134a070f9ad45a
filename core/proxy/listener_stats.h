// The metrics of a listener and of its routes.
#ifndef SLUICE_CORE_PROXY_LISTENER_STATS_H_
#define SLUICE_CORE_PROXY_LISTENER_STATS_H_

#include "core/proxy/failure.h"
#include "core/stats/scope.h"

namespace sluice {

struct ListenerStats {
  Counter connections;
  Gauge connections_active;
  Counter accept_errors;
  Counter connections_limited;  // accepting paused at max_connections
  Counter connections_refused;
  Counter keep_alive_stopped;
  Counter connections_closed_idle;  // keep-alive time ran out, or room was needed
  Counter connections_closed_silent;
  Counter requests;
  Gauge requests_active;
  Counter responses[6];  // by class; [0]: the client was gone before one
  Counter protocol_errors;
  Counter head_timeouts;
  Counter body_timeouts;
  Counter idle_timeouts;
  Counter client_resets;
  Counter local_resets;
  Counter no_route;
  Counter requests_shed;
  Counter local_replies;
  Counter fallbacks[kFallbackReasons];
  Counter tunnels;
  Counter proxy_protocol_errors;
  Counter bytes_received;
  Counter bytes_sent;
  Histogram request_duration;

  void Describe(MetricTable& table) {
    table.Add(connections, {"sluice_downstream_connections_total", "Connections accepted."});
    table.Add(connections_active, {"sluice_downstream_connections_active", "Connections open."});
    table.Add(accept_errors, {"sluice_downstream_accept_errors_total",
                              "Times accepting paused because the system refused (EMFILE, ...)."});
    table.Add(connections_limited, {"sluice_downstream_connections_limited_total",
                                    "Times accepting paused at the connection limit."});
    table.Add(connections_refused, {"sluice_downstream_connections_refused_total",
                                    "Connections reset as they came since something runs short."});
    table.Add(keep_alive_stopped, {"sluice_downstream_keep_alive_stopped_total",
                                   "Connections that a response ends since something runs short."});
    table.Add(connections_closed_idle, {"sluice_downstream_connections_closed_idle_total",
                                        "Idle connections that we closed."});
    table.Add(connections_closed_silent,
              {"sluice_downstream_connections_closed_silent_total",
               "Connections without a request that made room at the connection limit."});
    table.Add(requests, {"sluice_downstream_requests_total", "Requests begun."});
    table.Add(requests_active, {"sluice_downstream_requests_active", "Requests in flight."});
    constexpr std::string_view kClasses[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    for (size_t i = 0; i < 6; ++i) {
      table.Add(responses[i],
                {"sluice_downstream_responses_total", "Responses by the status' first digit."},
                {{"code_class", kClasses[i]}});
    }
    table.Add(protocol_errors, {"sluice_downstream_protocol_errors_total",
                                "Requests refused for breaking the protocol."});
    table.Add(head_timeouts, {"sluice_downstream_timeouts_total", "Clients that took too long."},
              {{"what", "head"}});
    table.Add(body_timeouts, {"sluice_downstream_timeouts_total", "Clients that took too long."},
              {{"what", "body"}});
    table.Add(idle_timeouts, {"sluice_downstream_timeouts_total", "Clients that took too long."},
              {{"what", "stream_idle"}});
    table.Add(client_resets, {"sluice_downstream_disconnects_total",
                              "Clients gone before their response was complete."});
    table.Add(local_resets, {"sluice_downstream_local_resets_total",
                             "Requests that we broke off: their response was cut, or never came."});
    table.Add(no_route, {"sluice_downstream_no_route_total", "Requests that no route takes."});
    table.Add(requests_shed, {"sluice_downstream_requests_shed_total",
                              "Requests of low priority refused while something runs short."});
    table.Add(local_replies, {"sluice_downstream_local_replies_total", "Answers of our own."});
    for (size_t i = 0; i < kFallbackReasons; ++i) {
      table.Add(fallbacks[i],
                {"sluice_downstream_fallbacks_total",
                 "Failures that a fallback of the route stood in for, by what failed."},
                {{"reason", kFallbackReasonNames[i]}});
    }
    table.Add(tunnels, {"sluice_downstream_tunnels_total", "Requests that became tunnels."});
    table.Add(proxy_protocol_errors, {"sluice_downstream_proxy_protocol_errors_total",
                                      "Connections without the PROXY header that must be there."});
    table.Add(bytes_received, {"sluice_downstream_received_bytes_total",
                               "Bytes read from connections.", MetricUnit::kBytes});
    table.Add(bytes_sent, {"sluice_downstream_sent_bytes_total", "Bytes written to connections.",
                           MetricUnit::kBytes});
    table.Add(request_duration,
              {"sluice_downstream_request_duration_seconds",
               "From a request's first byte to its response's last.", MetricUnit::kMicroseconds});
  }
};

// Of one named route.
struct RouteStats {
  Counter responses[6];
  Counter breaker_refused;

  void Describe(MetricTable& table) {
    constexpr std::string_view kClasses[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    for (size_t i = 0; i < 6; ++i) {
      table.Add(responses[i],
                Metric{"sluice_route_responses_total",
                       "Responses of named routes by the status' first digit."}
                    .OfMany(),
                {{"code_class", kClasses[i]}});
    }
    table.Add(breaker_refused,
              Metric{"sluice_route_breaker_refused_total",
                     "Tries of named routes that were not made since the route's breaker was open."}
                  .OfMany());
  }
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_LISTENER_STATS_H_
