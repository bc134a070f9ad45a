// TopModel: what `sluice top` says about the time between two samples. A value; of no terminal.
#ifndef SLUICE_CORE_SERVER_STATS_TOP_MODEL_H_
#define SLUICE_CORE_SERVER_STATS_TOP_MODEL_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/server/stats/top_sample.h"

namespace sluice {

// Rates are a second; in totals, they are what was counted so far.
struct TopLine {
  std::string name;
  double requests = 0;
  std::optional<double> errors;  // the part of the requests that failed: 0 to 1; none: no requests
  struct Latency {
    double p50 = 0;  // microseconds
    double p90 = 0;
    double p99 = 0;
  };
  std::optional<Latency> latency;  // none: nothing ended; of a worker, how late its timers fire
  std::optional<Latency> turns;    // of a worker: the longest turn of each second
  double received = 0;             // bytes
  double sent = 0;
  std::optional<double> cpu;  // 1: a whole core; none in totals
  int64_t connections = 0;
  int64_t active = 0;
};

struct TopModel {
  bool totals = false;  // since the counters began, not of the time between two samples
  bool live = false;    // a process is there: without one, levels are none
  bool ready = false;
  bool draining = false;
  std::vector<StatsFile::Process> processes;
  std::array<std::vector<TopLine>, kTopTables> tables;  // by name
  TopLine all;                                          // of the listeners, but not the admin API's
  TopLine worker;                                       // of all workers
  double lua_errors = 0;
};

// `before` null: totals. What `before` does not have, or has more of, began in between.
TopModel CompareTopSamples(const TopSample* before, const TopSample& now);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_STATS_TOP_MODEL_H_
