// The metrics of the process as a whole. Of the main thread.
#ifndef SLUICE_CORE_SERVER_SERVER_STATS_H_
#define SLUICE_CORE_SERVER_SERVER_STATS_H_

#include "core/server/version.h"
#include "core/stats/scope.h"

namespace sluice {

struct ServerStats {
  Gauge build_info;
  Gauge start_time;
  Gauge ready;
  Gauge draining;
  Gauge workers;
  Gauge max_connections;
  Counter log_reopen_errors;

  void Describe(MetricTable& table) {
    table.Add(build_info,
              {"sluice_build_info", "Always 1; the version is its label.", MetricUnit::kNone,
               GaugeOf::kLatestProcess},
              {{"version", kVersion}});
    table.Add(start_time,
              {"sluice_server_start_time_seconds", "When the process started, since the epoch.",
               MetricUnit::kNone, GaugeOf::kLatestProcess});
    table.Add(ready, {"sluice_server_ready", "1 while /ready answers 200."});
    table.Add(draining, {"sluice_server_draining", "1 from SIGTERM on, and after POST /drain."});
    table.Add(workers, {"sluice_server_workers", "Threads that serve requests."});
    table.Add(max_connections, {"sluice_server_connections_limit",
                                "Client connections that there may be at a time."});
    table.Add(log_reopen_errors,
              {"sluice_server_log_reopen_errors_total",
               "Logs that could not be opened anew: the old file stays, whatever its name."});
  }
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SERVER_STATS_H_
