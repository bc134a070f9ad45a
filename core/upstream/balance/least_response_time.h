// LeastResponseTime: of all members the one that would answer first by its mean time to the head of
// the response, times the requests in flight, over its weight: nginx's least_time. A look at every
// member, O(n). Of one worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_LEAST_RESPONSE_TIME_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_LEAST_RESPONSE_TIME_H_

#include "core/upstream/balance/balancer.h"
#include "core/upstream/balance/weighted_draw.h"

namespace sluice {

class LeastResponseTime final : public Balancer {
 public:
  explicit LeastResponseTime(const BalanceSettings& settings) : settings_(settings) {}

  void Update(const BalancerGroup& group) override { draw_.Update(group.members); }
  size_t Pick(const PickContext& context) override;

 private:
  const BalanceSettings& settings_;
  WeightedDraw draw_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_LEAST_RESPONSE_TIME_H_
