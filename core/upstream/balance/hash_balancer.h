// HashBalancer: the member that the request's key belongs to, by the group's table: ring_hash and
// maglev. With bounded load (Mirrokni et al., 2018) no member has more than its share of what is in
// flight by some factor: what is too much goes to the key's next choice. Requests without a key go
// anywhere. Of one worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_HASH_BALANCER_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_HASH_BALANCER_H_

#include "core/upstream/balance/balancer.h"

namespace sluice {

class HashBalancer final : public Balancer {
 public:
  explicit HashBalancer(const BalanceSettings& settings) : factor_(settings.bounded_load) {}

  void Update(const BalancerGroup& group) override;
  size_t Pick(const PickContext& context) override;

 private:
  // How much may be in flight at a member for each unit of its weight.
  double Bound() const;

  const double factor_;
  const BalancerGroup* group_ = nullptr;
  double total_weight_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_HASH_BALANCER_H_
