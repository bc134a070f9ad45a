// RandomBalancer: any member, as likely as its weight says. Keeps no turn, so that many workers
// need not agree. Of one worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_RANDOM_BALANCER_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_RANDOM_BALANCER_H_

#include "core/upstream/balance/balancer.h"
#include "core/upstream/balance/weighted_draw.h"

namespace sluice {

class RandomBalancer final : public Balancer {
 public:
  void Update(const BalancerGroup& group) override { draw_.Update(group.members); }
  // O(1) if the weights are equal, else O(log n).
  size_t Pick(const PickContext& context) override;

 private:
  WeightedDraw draw_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_RANDOM_BALANCER_H_
