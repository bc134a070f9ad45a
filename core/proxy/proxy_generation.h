// ProxyGeneration: what all listeners of one configuration share on one worker: its clusters, and
// the count of those who still use it. A reload brings a new one beside it; connections go over at
// once, streams keep the one that they began with. Owned by the worker; of its thread.
#ifndef SLUICE_CORE_PROXY_PROXY_GENERATION_H_
#define SLUICE_CORE_PROXY_PROXY_GENERATION_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/event/loop.h"
#include "core/upstream/worker_cluster.h"

namespace sluice {

class ProxyGeneration {
 public:
  explicit ProxyGeneration(Loop& loop) : loop_(loop) {}
  ProxyGeneration(const ProxyGeneration&) = delete;
  ProxyGeneration& operator=(const ProxyGeneration&) = delete;

  // In the order of config.clusters; borrowed.
  void AddCluster(WorkerCluster& cluster) { clusters_.push_back(&cluster); }
  // Null: there is none of that index or name.
  WorkerCluster* cluster(uint32_t index) const {
    return index < clusters_.size() ? clusters_[index] : nullptr;
  }
  WorkerCluster* FindCluster(std::string_view name) const {
    for (WorkerCluster* cluster : clusters_) {
      if (cluster->settings().name == name) return cluster;
    }
    return nullptr;
  }
  const std::vector<WorkerCluster*>& clusters() const { return clusters_; }

  // Of connections, streams and copies that outlive these.
  void Hold() { ++users_; }
  void Drop() {
    if (--users_ == 0 && unused_ != nullptr) loop_.Defer(*unused_);
  }
  bool unused() const { return users_ == 0; }
  // A newer one has taken its place: `unused` runs when nobody holds this one. Borrowed.
  void Retire(Task& unused) {
    unused_ = &unused;
    if (users_ == 0) loop_.Defer(unused);
  }

 private:
  Loop& loop_;
  std::vector<WorkerCluster*> clusters_;
  size_t users_ = 0;
  Task* unused_ = nullptr;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_PROXY_GENERATION_H_
