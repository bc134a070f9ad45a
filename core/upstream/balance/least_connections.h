// LeastConnections: of all members the one with the fewest requests in flight for its weight. For
// requests that take long, such as tunnels: a look at every member, O(n). Of one worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_LEAST_CONNECTIONS_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_LEAST_CONNECTIONS_H_

#include "core/upstream/balance/balancer.h"
#include "core/upstream/balance/weighted_draw.h"

namespace sluice {

class LeastConnections final : public Balancer {
 public:
  void Update(const BalancerGroup& group) override { draw_.Update(group.members); }
  size_t Pick(const PickContext& context) override;

 private:
  WeightedDraw draw_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_LEAST_CONNECTIONS_H_
