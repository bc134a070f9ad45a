// Utilization: members in turn, by the weights that follow from their own load reports; those
// without one have the mean of the others, and with fewer than two reports all have the weights of
// the configuration. After gRPC's client-side weighted round robin (A58). Of one worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_UTILIZATION_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_UTILIZATION_H_

#include "core/upstream/balance/balancer.h"
#include "core/upstream/balance/round_robin.h"

namespace sluice {

class Utilization final : public Balancer {
 public:
  // How often new reports are looked at.
  static constexpr Nanos kUpdateEvery = kSecond;

  Utilization(const BalanceSettings& settings, Random& random)
      : settings_(settings), turn_(random) {}

  void Update(const BalancerGroup& group) override;
  size_t Pick(const PickContext& context) override;

 private:
  void Weigh(Nanos now);

  const BalanceSettings& settings_;
  const BalancerGroup* group_ = nullptr;
  BalancerGroup weighted_;  // the same members with their weights of the moment
  RoundRobin turn_;
  Nanos next_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_UTILIZATION_H_
