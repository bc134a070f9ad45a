// AdminSource: what the admin API shows of the server. Implemented by the server; asked on the main
// thread.
#ifndef SLUICE_CORE_SERVER_ADMIN_ADMIN_SOURCE_H_
#define SLUICE_CORE_SERVER_ADMIN_ADMIN_SOURCE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/stats/reader.h"

namespace sluice {

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

class AdminSource {
 public:
  virtual ServerState state() const = 0;
  virtual ServerSummary Summary() const = 0;
  // Brings the gauges up to date that are only looked up when somebody asks, and gives all.
  virtual StatsReader FreshStats() = 0;

 protected:
  ~AdminSource() = default;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_ADMIN_SOURCE_H_
