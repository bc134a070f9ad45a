// AdminSource: what the admin API shows of the server. Implemented by the server; asked on the main
// thread.
#ifndef SLUICE_CORE_SERVER_ADMIN_ADMIN_SOURCE_H_
#define SLUICE_CORE_SERVER_ADMIN_ADMIN_SOURCE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"

namespace sluice {

class Cluster;

enum class ServerState : uint8_t { kStarting, kLive, kDraining };
std::string_view ServerStateName(ServerState state);  // "LIVE"

struct ServerSummary {
  struct Listener {
    std::string name;
    std::string address;  // with the real port
  };

  std::string id;
  ServerState state;
  Nanos uptime;
  uint32_t workers;
  double loop_lag_p99;      // see LoopLagP99
  std::string config_file;  // empty: none
  uint64_t config_version;
  std::vector<Listener> listeners;
};

struct ServerReport {
  ServerSummary summary;
  bool out = false;     // POST /drain
  int64_t started = 0;  // seconds since the epoch
  std::string config_hash;
  // 0: there is none.
  pid_t predecessor = 0;
  pid_t successor = 0;
  bool handed_over = false;
  uint64_t connections = 0;
  uint64_t connections_limit = 0;
  Nanos drain_timeout = 0;
};

struct ListenerReport {
  std::string name;
  std::string address;
  bool accepting = false;
  size_t sockets = 0;
  uint64_t connections_limit = 0;    // 0: none
  std::vector<std::string> filters;  // in order
};

struct StatsMemoryUse {
  std::string path;  // empty: memory of this process alone
  StatsUse use;
};

class AdminSource {
 public:
  virtual ServerState state() const = 0;
  virtual ServerSummary Summary() const = 0;
  // Brings the gauges up to date that are only looked up when somebody asks, and gives all.
  virtual StatsReader FreshStats() = 0;
  virtual ServerReport Report() const = 0;
  // The admin API's too.
  virtual std::vector<ListenerReport> Listeners() const = 0;
  virtual const std::vector<Cluster*>& UsedClusters() const = 0;
  virtual StatsMemoryUse StatsMemory() const = 0;

 protected:
  ~AdminSource() = default;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_ADMIN_SOURCE_H_
