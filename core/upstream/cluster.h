// Cluster: a named set of endpoints as the configuration gives it; lives on the main thread, which
// keeps its endpoint set up to date (DNS) and publishes each new one. It outlives generations of
// the configuration that leave it as it is. Settings are immutable and read by all workers.
#ifndef SLUICE_CORE_UPSTREAM_CLUSTER_H_
#define SLUICE_CORE_UPSTREAM_CLUSTER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/http/codec.h"
#include "core/net/transport.h"
#include "core/upstream/balance/balance_settings.h"
#include "core/upstream/cluster_limits.h"
#include "core/upstream/cluster_stats.h"
#include "core/upstream/discovery_stats.h"
#include "core/upstream/endpoint.h"
#include "core/upstream/endpoint_sources.h"
#include "core/upstream/endpoint_states.h"
#include "core/upstream/health/health_event.h"
#include "core/upstream/outlier/outlier_settings.h"
#include "core/upstream/retry_budget.h"

namespace sluice {

namespace config {
class Cluster;
}
class Breaker;
class BreakerBoard;
struct BulkheadSettings;
class Loop;
class StatsDirectory;

enum class HealthVerdict : uint8_t;
enum class ProxyProtocolVersion : uint8_t { kOff, kV1, kV2 };

struct PoolLimits {
  uint32_t idle = 32;  // per worker and endpoint
  Nanos idle_timeout = 60 * kSecond;
  Nanos max_age = 600 * kSecond;  // 0: none
  uint64_t max_requests = 10000;  // 0: no limit
};

struct ClusterSettings {
  std::string name;
  BalanceSettings balance;
  Nanos connect_timeout = 3 * kSecond;
  ProxyProtocolVersion proxy_protocol = ProxyProtocolVersion::kOff;
  PoolLimits pool;
  CodecLimits codec;
  RetryBudgetSettings retry_budget;
  SharedWords retry_words;
  Breaker* breaker = nullptr;  // the cluster's; null: none
  ClusterLimits limits;
  const BulkheadSettings* bulkhead = nullptr;  // the cluster's; null: none
  std::optional<OutlierSettings> outliers;     // nothing: they are not detected
  SharedWord outlier_changes;                  // with `outliers`: see OutlierDetector
  StatsGroup<ClusterStats> stats;
  // What is spoken, and over what: here HTTP/2 and TLS come in, and the fakes of tests.
  std::unique_ptr<ClientCodec> (*new_codec)(ClientEvents&,
                                            const CodecLimits&) = NewHttp1ClientCodec;
  std::unique_ptr<Transport> (*new_transport)(int fd) = NewPlainTransport;
};

class ClusterDiscovery;
class HealthChecker;
class NameResolver;
class OutlierDetector;

class Cluster {
 public:
  // Main thread. `loop` is the main thread's; it and `stats` outlive the cluster. Errors:
  // kInvalidArgument for an endpoint that the loader let pass and that is none.
  static Result<std::unique_ptr<Cluster>> Create(const config::Cluster& config, Loop& loop,
                                                 StatsDirectory& stats);
  // Names are asked of `resolver`; null: of DNS, as the config says. `breakers` outlives the
  // cluster; null: nobody looks at its breakers.
  static Result<std::unique_ptr<Cluster>> Create(const config::Cluster& config, Loop& loop,
                                                 StatsDirectory& stats,
                                                 std::unique_ptr<NameResolver> resolver,
                                                 BreakerBoard* breakers = nullptr);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  const ClusterSettings& settings() const { return settings_; }
  // The current set; never null. Main thread.
  const EndpointSetPtr& endpoints() const { return endpoints_; }
  // Has every name been answered once, well or badly? Main thread.
  bool resolved() const;
  // That, and has each endpoint been checked once, if they are to be? Main thread.
  bool warm() const;
  // Resolves names and checks endpoints from here on; `changed` is called on the main thread after
  // each change of endpoints() or warm(), never inside this call. It must not destroy the cluster.
  // REQUIRES: not started.
  void Start(std::function<void()> changed);
  // Breaks the active checks off, or goes on with them: of several configurations of a cluster the
  // newest alone makes them. What the endpoints are taken for stays. REQUIRES: started. Main
  // thread.
  void SetChecking(bool on);
  // Whether its endpoints are those that the gauges show: of several configurations of a cluster
  // only the newest one's are. They are from the start. Main thread.
  void SetShown(bool on);
  // `subscriber` is told of each active check from here on; see HealthChecker::Subscribe. Does
  // nothing where there are none. Main thread.
  void SubscribeHealth(HealthSubscriber subscriber);
  // Are there active checks?
  bool checks_endpoints() const { return checker_ != nullptr; }
  // How the endpoint's last active check ended; nothing: none was made. Main thread.
  std::optional<LastCheck> FindCheck(std::string_view endpoint) const;

  // Says that the endpoint of that text must not be used, or that it may be as far as this fault
  // goes, and publishes what follows: `changed` is called before this returns. kDrained holds for
  // addresses that DNS takes away and brings back, and in the next process too, until it is taken
  // back. False: there is no such endpoint. Main thread. REQUIRES: kDrained or kEjected.
  bool SetFault(std::string_view endpoint, EndpointFault fault, bool on);
  // The same for many at once: `changed` is called once, if at all.
  void SetFaults(const std::vector<std::string_view>& endpoints, EndpointFault fault, bool on);

  // Null: outliers are not detected. Main thread.
  OutlierDetector* outliers() { return outliers_.get(); }

 private:
  Cluster(const config::Cluster& config, Loop& loop, StatsDirectory& stats, EndpointSources sources,
          BreakerBoard* breakers);
  void OnDiscovered();
  // Says whether the endpoints are others than before.
  bool UpdateEndpoints();
  void Publish(std::vector<Endpoint> endpoints);
  void PublishFaults(std::vector<Endpoint> endpoints);
  void OnVerdicts(const std::vector<std::pair<std::string_view, HealthVerdict>>& verdicts);
  // Nothing, unless they are shown.
  void CountEndpoints(const EndpointSet& set, int64_t sign);

  Loop& loop_;
  ClusterSettings settings_;
  std::unique_ptr<const BulkheadSettings> bulkhead_;  // null: none
  std::optional<EndpointSources> sources_;            // nothing: no endpoint has a name
  std::unique_ptr<Breaker> breaker_;
  EndpointStates states_;
  DiscoveryStats stats_;
  EndpointSetPtr endpoints_;
  bool shown_ = true;
  bool was_warm_ = false;
  std::function<void()> changed_;
  std::unique_ptr<OutlierDetector> outliers_;
  std::unique_ptr<ClusterDiscovery> discovery_;  // null if no endpoint has a name
  std::unique_ptr<HealthChecker> checker_;       // null if there are no active checks
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_CLUSTER_H_
