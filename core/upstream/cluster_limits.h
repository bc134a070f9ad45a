// ClusterLimits: how much of everything a cluster bears at a time, and how much of it is in use,
// over all workers of the process. Made on the main thread, with the cluster; read by all workers.
// Approximate in one respect: each worker may always have one connection to an endpoint.
//
// LimitPermit: one of what a limit counts, held by whoever uses it.
#ifndef SLUICE_CORE_UPSTREAM_CLUSTER_LIMITS_H_
#define SLUICE_CORE_UPSTREAM_CLUSTER_LIMITS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "core/stats/shared_gauge.h"
#include "core/upstream/request_priority.h"

namespace sluice {

namespace config {
class ClusterLimits;
}
class StatsDirectory;

enum class ClusterLimit : uint8_t {
  kConnections,
  kConnectionsPerEndpoint,
  kPending,   // requests that wait for a connection
  kRequests,  // tries in flight
  kRetries,   // requests that are tried again
};
inline constexpr size_t kClusterLimits = 5;
inline constexpr size_t kConnectionLimits = 2;  // the first ones

std::string_view NameOf(ClusterLimit limit);  // "connections_per_endpoint"

struct LimitThresholds {
  uint32_t connections = 1024;
  uint32_t pending = 1024;
  uint32_t requests = 1024;
  uint32_t retries = 0;  // 0: no limit
};

struct ClusterLimits {
  LimitThresholds normal;
  LimitThresholds high;                   // of requests for which IsHigh
  uint32_t connections_per_endpoint = 0;  // 0: no limit
  // In use.
  SharedGauge connections;
  SharedGauge pending;
  SharedGauge requests;
  SharedGauge retries;
  // Workers on which some request waits since that limit, one of those of connections, is reached.
  SharedGauge starving[kConnectionLimits];

  const LimitThresholds& Of(RequestPriority priority) const {
    return IsHigh(priority) ? high : normal;
  }
};

// The loader has filled in the defaults; a message that is not there has those of the structs.
// `cluster`: its name.
ClusterLimits ReadLimits(const config::ClusterLimits* config, std::string_view cluster,
                         StatsDirectory& stats);

class LimitPermit {
 public:
  LimitPermit() = default;
  ~LimitPermit() { Give(); }
  LimitPermit(LimitPermit&& other) noexcept { Swap(other); }
  LimitPermit& operator=(LimitPermit&& other) noexcept {
    Give();
    Swap(other);
    return *this;
  }

  // False: the limit is reached. One that is held is enough. 0: no limit, and no permit.
  bool Take(const SharedGauge& gauge, uint32_t limit) {
    if (held_ || limit == 0) return true;
    gauge_ = gauge;
    held_ = gauge.TryAdd(limit);
    return held_;
  }
  void Give() {
    if (held_) gauge_.Sub();
    held_ = false;
  }

 private:
  void Swap(LimitPermit& other) {
    std::swap(gauge_, other.gauge_);
    std::swap(held_, other.held_);
  }

  SharedGauge gauge_;
  bool held_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_CLUSTER_LIMITS_H_
