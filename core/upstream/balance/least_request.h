// LeastRequest: of two members drawn by weight, the one with fewer requests in flight for its
// weight ("the power of two choices"). As good as looking at all, but no two workers run to the
// same one at once. O(1) if the weights are equal, else O(log n). Of one worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_LEAST_REQUEST_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_LEAST_REQUEST_H_

#include "core/upstream/balance/balancer.h"
#include "core/upstream/balance/weighted_draw.h"

namespace sluice {

class LeastRequest final : public Balancer {
 public:
  void Update(const BalancerGroup& group) override { draw_.Update(group.members); }
  size_t Pick(const PickContext& context) override;

 private:
  WeightedDraw draw_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_LEAST_REQUEST_H_
