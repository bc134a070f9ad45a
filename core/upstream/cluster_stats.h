// The metrics of a cluster.
#ifndef SLUICE_CORE_UPSTREAM_CLUSTER_STATS_H_
#define SLUICE_CORE_UPSTREAM_CLUSTER_STATS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/stats/scope.h"
#include "core/upstream/cluster_limits.h"

namespace sluice {

struct ClusterStats {
  // Why a request that was to be tried again was not.
  enum RetryRefusal : uint8_t {
    kByAttempts,
    kByBody,
    kByTime,
    kByLimit,
    kByBudget,
    kRetryRefusals
  };

  Counter requests;
  Counter responses[6];  // by class; [0]: none came
  Gauge requests_active;
  Counter connections;
  Gauge connections_active;
  Gauge connections_idle;
  Counter connections_reused;
  Counter connect_failures;
  Counter connect_timeouts;
  Counter connections_closed_idle;  // by the upstream, while idle
  Counter connections_expired;      // by us: idle for too long, too old, too many requests
  Counter protocol_errors;
  Counter resets;
  Counter timeouts;
  Counter per_try_timeouts;
  Counter stale_retries;
  Counter connect_retries;
  Counter retries;
  Counter retries_succeeded;
  Counter retries_refused[kRetryRefusals];
  Counter hedges;
  Counter hedges_won;
  Counter no_endpoint;
  Counter breaker_refused;
  Counter overflow[kClusterLimits];
  Counter bytes_sent;
  Counter bytes_received;
  Histogram connect_duration;
  Histogram request_duration;

  void Describe(MetricTable& table) {
    table.Add(requests, {"sluice_upstream_requests_total", "Requests sent, tries counted."});
    constexpr std::string_view kClasses[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    for (size_t i = 0; i < 6; ++i) {
      table.Add(responses[i],
                {"sluice_upstream_responses_total", "Responses by the status' first digit."},
                {{"code_class", kClasses[i]}});
    }
    table.Add(requests_active, {"sluice_upstream_requests_active", "Requests in flight."});
    table.Add(connections, {"sluice_upstream_connections_total", "Connections opened."});
    table.Add(connections_active, {"sluice_upstream_connections_active", "Connections open."});
    table.Add(connections_idle, {"sluice_upstream_connections_idle", "Connections in the pools."});
    table.Add(connections_reused, {"sluice_upstream_connections_reused_total",
                                   "Requests that found a connection in the pool."});
    table.Add(connect_failures,
              {"sluice_upstream_connect_failures_total", "Connects that failed."});
    table.Add(connect_timeouts,
              {"sluice_upstream_connect_timeouts_total", "Connects that took too long."});
    table.Add(connections_closed_idle, {"sluice_upstream_connections_closed_idle_total",
                                        "Idle connections that the upstream closed."});
    table.Add(connections_expired, {"sluice_upstream_connections_expired_total",
                                    "Connections closed for idle time, age or request count."});
    table.Add(protocol_errors,
              {"sluice_upstream_protocol_errors_total", "Responses that broke the protocol."});
    table.Add(resets,
              {"sluice_upstream_resets_total", "Exchanges that the upstream's connection ended."});
    table.Add(timeouts,
              {"sluice_upstream_timeouts_total", "Requests that hit the route's timeout."});
    table.Add(per_try_timeouts,
              {"sluice_upstream_per_try_timeouts_total", "Tries that hit their own timeout."});
    table.Add(stale_retries, {"sluice_upstream_stale_retries_total",
                              "Requests sent again because a reused connection was closed."});
    table.Add(connect_retries, {"sluice_upstream_connect_retries_total",
                                "Requests moved to another endpoint after a failed connect."});
    table.Add(retries,
              {"sluice_upstream_retries_total", "Requests sent again because the route says so."});
    table.Add(retries_succeeded, {"sluice_upstream_retries_succeeded_total",
                                  "Requests that had a good answer after such a retry."});
    constexpr std::string_view kRefusals[] = {"attempts", "body", "time", "limit", "budget"};
    for (size_t i = 0; i < kRetryRefusals; ++i) {
      table.Add(retries_refused[i],
                {"sluice_upstream_retries_refused_total",
                 "Requests that were not sent again although the route says so, by reason."},
                {{"reason", kRefusals[i]}});
    }
    table.Add(hedges,
              {"sluice_upstream_hedges_total", "Second tries begun while the first one ran."});
    table.Add(hedges_won, {"sluice_upstream_hedges_won_total",
                           "Of those, the ones whose answer was passed on."});
    table.Add(no_endpoint,
              {"sluice_upstream_no_endpoint_total", "Requests that found no endpoint."});
    table.Add(
        breaker_refused,
        {"sluice_upstream_breaker_refused_total",
         "Tries that were not made since a breaker of the cluster or its endpoints was open."});
    for (size_t i = 0; i < kClusterLimits; ++i) {
      table.Add(overflow[i],
                {"sluice_upstream_overflow_total", "Times that one more was beyond a limit."},
                {{"limit", NameOf(static_cast<ClusterLimit>(i))}});
    }
    table.Add(bytes_sent, {"sluice_upstream_sent_bytes_total", "Bytes written to connections.",
                           MetricUnit::kBytes});
    table.Add(bytes_received, {"sluice_upstream_received_bytes_total",
                               "Bytes read from connections.", MetricUnit::kBytes});
    table.Add(connect_duration, {"sluice_upstream_connect_duration_seconds",
                                 "From the connect to the connection.", MetricUnit::kMicroseconds});
    table.Add(request_duration,
              {"sluice_upstream_request_duration_seconds",
               "From a try's start to the end of its response.", MetricUnit::kMicroseconds});
  }
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_CLUSTER_STATS_H_
