// Generation: what a configuration becomes in this process: its snapshot, compiled listeners,
// clusters. Built on the main thread and owned by the server; workers borrow it and read what is
// const. A reload builds the next one beside it; this one lives until no worker uses it any more.
//
// WorkerGeneration: the same as one worker uses it. Owned by the worker; of its thread.
#ifndef SLUICE_CORE_SERVER_GENERATION_H_
#define SLUICE_CORE_SERVER_GENERATION_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/net/address.h"
#include "core/net/listen_socket.h"
#include "core/proxy/listener_runtime.h"
#include "core/proxy/listener_settings.h"
#include "core/proxy/proxy_generation.h"
#include "core/proxy/proxy_worker.h"
#include "core/server/clusters.h"

namespace sluice {

namespace config {
class AdminListen;
class Listen;
}  // namespace config
class Snapshot;

// Makes one worker's runtime of a listener. Any worker's thread, several at a time.
using NewListenerRuntime = std::function<std::unique_ptr<ListenerRuntime>(
    const ListenerSettings&, ProxyWorker&, ProxyGeneration&)>;

// That of a listener whose last filter is the router.
std::unique_ptr<ListenerRuntime> NewRouterRuntime(const ListenerSettings& settings,
                                                  ProxyWorker& worker, ProxyGeneration& generation);

struct ListenPlace {
  Address address;
  ListenOptions options;
};
// Errors name the user or group that is not there.
Result<ListenPlace> ReadListen(const config::Listen& listen);
Result<ListenPlace> ReadListen(const config::AdminListen& listen);

class Generation {
 public:
  struct Listener {
    ListenPlace place;
    std::unique_ptr<const ListenerSettings> settings;
    NewListenerRuntime new_runtime;
  };

  // Empty: for what is put together without a configuration (the echo server).
  Generation();
  ~Generation();
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  // Compiles the snapshot. What `context` names, and the clusters, outlive the generation. Errors
  // name the place in the configuration. Opens log files (but in a dry run), no sockets. After an
  // error, new clusters may be left over in `clusters` that nobody uses.
  static Result<std::unique_ptr<Generation>> Build(std::shared_ptr<const Snapshot> snapshot,
                                                   Clusters& clusters, const LoadContext& context);
  void Add(ListenPlace place, std::unique_ptr<const ListenerSettings> settings,
           NewListenerRuntime new_runtime);

  // Null for one without a configuration.
  const std::shared_ptr<const Snapshot>& snapshot() const { return snapshot_; }
  const std::vector<Listener>& listeners() const { return listeners_; }
  // In the order of config.clusters.
  const std::vector<Cluster*>& clusters() const { return clusters_; }
  // Empty: there is no admin API.
  const std::vector<ListenPlace>& admin() const { return admin_; }
  // What its clients must know; empty: nothing.
  std::string_view admin_token() const;

  // Has every cluster its first answer from DNS? Main thread.
  bool warm() const;
  // That filters write to, some of them several times. Main thread.
  std::vector<FilterLog> Logs() const;
  // SIGUSR1. Main thread. Logs() says what becomes of it.
  void ReopenLogs() const;

 private:
  // What is compiled from the snapshot's config points into it: it goes last.
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<Cluster*> clusters_;
  std::vector<Listener> listeners_;
  std::vector<ListenPlace> admin_;
};

class WorkerGeneration {
 public:
  // All outlive it. `clusters`: as generation.clusters().
  WorkerGeneration(const Generation& generation, ProxyWorker& worker,
                   const std::vector<WorkerCluster*>& clusters);

  const Generation& generation() const { return generation_; }
  ProxyGeneration& scope() { return scope_; }
  // As Generation::listeners().
  ListenerRuntime& runtime(size_t listener) { return *runtimes_[listener]; }

 private:
  const Generation& generation_;
  ProxyGeneration scope_;
  std::vector<std::unique_ptr<ListenerRuntime>> runtimes_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_GENERATION_H_
