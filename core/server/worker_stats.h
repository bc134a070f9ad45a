// The metrics of a worker, labelled with its number.
#ifndef SLUICE_CORE_SERVER_WORKER_STATS_H_
#define SLUICE_CORE_SERVER_WORKER_STATS_H_

#include "core/stats/scope.h"

namespace sluice {

struct WorkerStats {
  Gauge connections;
  Histogram loop_lag;
  Histogram longest_turn;
  Counter cpu;

  void Describe(MetricTable& table) {
    table.Add(connections,
              {"sluice_worker_connections_active", "Client connections that the worker has open."});
    table.Add(loop_lag, {"sluice_worker_loop_lag_seconds",
                         "How late timers of the worker fire, while it has connections.",
                         MetricUnit::kMicroseconds});
    table.Add(longest_turn,
              {"sluice_worker_longest_turn_seconds",
               "The longest turn of the worker's loop in each second.", MetricUnit::kMicroseconds});
    table.Add(cpu, {"sluice_worker_cpu_seconds_total", "CPU time that the worker's thread took.",
                    MetricUnit::kMicroseconds});
  }
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_WORKER_STATS_H_
