// PeakEwma: of two members drawn by weight the one with the lower load: how long it takes to
// answer, by its worst lately, times the requests in flight. After Finagle's balancer of that name.
// A failure counts as a slow answer (TryMeter), so that an endpoint that fails fast attracts
// nothing. A small share of requests goes to members that were not measured for long, whatever is
// remembered of them. O(1) if the weights are equal, else O(log n). Of one worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_PEAK_EWMA_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_PEAK_EWMA_H_

#include "core/upstream/balance/balancer.h"
#include "core/upstream/balance/weighted_draw.h"

namespace sluice {

class PeakEwma final : public Balancer {
 public:
  // One that was measured since is not explored: it is known, and would only slow requests down.
  static constexpr Nanos kExploreAfter = kSecond;

  explicit PeakEwma(const BalanceSettings& settings) : settings_(settings) {}

  void Update(const BalancerGroup& group) override;
  size_t Pick(const PickContext& context) override;

 private:
  double LoadOf(const BalancerMember& member, Nanos now) const;

  const BalanceSettings& settings_;
  WeightedDraw draw_;
  double mean_weight_ = 1;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_PEAK_EWMA_H_
