// ProxyRig: the data plane of one worker on the test's own loop: config text in, listeners on ports
// of the kernel's choice out. What a process adds around it (threads, signals, admin) is not here.
#ifndef SLUICE_TESTS_SUPPORT_PROXY_RIG_H_
#define SLUICE_TESTS_SUPPORT_PROXY_RIG_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/event/loop.h"
#include "core/filter/factory.h"
#include "core/proxy/listener_runtime.h"
#include "core/proxy/listener_settings.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"
#include "core/upstream/cluster.h"

namespace sluice {
struct LoadedConfig;
}

namespace sluice::test {

class ProxyRig {
 public:
  // Called on the settings before anything runs with them: the place for fake codecs and
  // transports.
  struct Seams {
    std::function<void(ListenerSettings&)> listener;
    std::function<void(ClusterSettings&)> cluster;
  };

  // YAML, as in a config file; listeners on 127.0.0.1:0. Fails the test where it does not load.
  ProxyRig(Loop& loop, Clock& clock, std::string_view yaml, const Seams& seams = {});
  ~ProxyRig();
  ProxyRig(const ProxyRig&) = delete;
  ProxyRig& operator=(const ProxyRig&) = delete;

  uint16_t port(size_t listener = 0) const;
  ListenerStats& stats(size_t listener = 0);
  ListenerRuntime& runtime(size_t listener = 0);
  WorkerCluster& cluster(size_t index = 0) { return *worker_clusters_[index]; }
  // The endpoints as they are now: names are not resolved, checks are made.
  const EndpointSet& endpoints(size_t index = 0) const { return *clusters_[index]->endpoints(); }
  ServerStatus& status() { return status_; }

  // Client connections that are open, over all listeners.
  size_t connection_count() const;
  // As SIGTERM does: no new connections, the others end with their responses.
  void Drain();
  // Nothing is in flight: no client connection, no request anywhere, and the gauges say so. Idle
  // upstream connections may be left.
  bool Quiet();
  // The same, for a test's EXPECT: what is not at rest; empty if all is.
  std::string NotQuiet();

 private:
  struct Entrance;

  std::unique_ptr<LoadedConfig> loaded_;
  std::unique_ptr<StatsSegment> segment_;
  std::unique_ptr<StatsDirectory> directory_;
  ServerStatus status_;
  std::unique_ptr<ProxyWorker> worker_;
  std::vector<std::unique_ptr<Cluster>> clusters_;
  std::vector<std::unique_ptr<ClusterSettings>> cluster_settings_;
  std::vector<std::unique_ptr<WorkerCluster>> worker_clusters_;
  std::vector<std::unique_ptr<const ListenerSettings>> settings_;
  std::vector<std::unique_ptr<Entrance>> entrances_;
  Loop& loop_;
  ProxyGeneration generation_;
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_PROXY_RIG_H_
