#include "core/upstream/balancer.h"

#include "core/upstream/random_balancer.h"
#include "core/upstream/round_robin.h"

namespace sluice {

std::unique_ptr<Balancer> NewBalancer(BalancePolicy policy, Random& random) {
  if (policy == BalancePolicy::kRandom) return std::make_unique<RandomBalancer>();
  return std::make_unique<RoundRobin>(random);
}

}  // namespace sluice
