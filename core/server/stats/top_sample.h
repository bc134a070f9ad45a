// TopSample: what `sluice top` shows, as the counters stood at one moment, by listener, cluster,
// endpoint and worker. A value.
#ifndef SLUICE_CORE_SERVER_STATS_TOP_SAMPLE_H_
#define SLUICE_CORE_SERVER_STATS_TOP_SAMPLE_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/stats/reader.h"
#include "core/stats/stats_file.h"

namespace sluice {

enum class TopTable : uint8_t { kListeners, kClusters, kEndpoints, kWorkers };
inline constexpr size_t kTopTables = 4;

// One line's. A worker's latency is the lag of its loop.
struct TopCounts {
  uint64_t requests = 0;
  uint64_t responses = 0;
  uint64_t errors = 0;
  uint64_t received = 0;  // bytes
  uint64_t sent = 0;
  uint64_t cpu = 0;         // microseconds
  int64_t connections = 0;  // from here on levels, not counts
  int64_t active = 0;
  // Histogram buckets that hold anything.
  using Buckets = std::vector<std::pair<uint16_t, uint64_t>>;
  Buckets latency;
  Buckets turns;  // a worker's longest turn of each second
};

struct TopSample {
  Nanos at = 0;  // monotonic
  std::array<std::map<std::string, TopCounts>, kTopTables> tables;
  uint64_t lua_errors = 0;
  bool ready = false;
  bool draining = false;
  std::vector<StatsFile::Process> processes;  // the latest first
};

// Walks the directory once. Of ordinary cost for 100,000 series: 30 ms.
TopSample TakeTopSample(const StatsReader& reader, std::vector<StatsFile::Process> processes,
                        Nanos now);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_STATS_TOP_SAMPLE_H_
