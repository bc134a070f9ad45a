// ClusterBalancer: chooses the endpoint for a request, as one worker does it: the group that is due
// (subset, priority, zone), and the policy's choice in it; new endpoints get their share by and by.
// Owned by the worker's cluster; of the worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_CLUSTER_BALANCER_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_CLUSTER_BALANCER_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/upstream/balance/balancer.h"
#include "core/upstream/endpoint.h"

namespace sluice {

class ClusterBalancer {
 public:
  static constexpr size_t kNoEndpoint = Balancer::kNoEndpoint;

  // Both outlive it.
  ClusterBalancer(const BalanceSettings& settings, Random& random)
      : settings_(settings), random_(random) {}

  // `set` and what `loads` points at, as its endpoints, live until the next Update.
  void Update(const EndpointSet& set, const std::vector<EndpointLoad*>& loads, Nanos now);

  // An index in the set. `subset`: SubsetText of the metadata that is wanted; empty: any.
  // kNoEndpoint if there is none, or none of the subset and its fallback.
  size_t Pick(const PickContext& context, std::string_view subset = {});

 private:
  struct Group {
    uint64_t key;
    BalancerGroup group;
    std::unique_ptr<Balancer> balancer;
  };

  const EndpointSubset* FindSubset(std::string_view wanted) const;
  size_t PickFrom(const EndpointSubset& subset, const PickContext& context);
  // Of the first priority that has none of the tried ones; kNoEndpoint: there is no such.
  size_t PickOtherPriority(const EndpointSubset& subset, const PickContext& context);
  size_t PickIn(Group& group, const PickContext& context);
  // How much of its share it may have by now.
  double RampOf(const Endpoint& endpoint, Nanos now) const;
  void AssumeLatencies(const std::vector<EndpointLoad*>& loads, Nanos now) const;

  const BalanceSettings& settings_;
  Random& random_;
  const EndpointSet* set_ = nullptr;
  std::vector<std::unique_ptr<Group>> groups_;  // as set_->groups
  Nanos ramps_until_ = 0;                       // no endpoint is new from then on
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_CLUSTER_BALANCER_H_
