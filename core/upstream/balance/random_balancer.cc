#include "core/upstream/balance/random_balancer.h"

namespace sluice {

size_t RandomBalancer::Pick(const PickContext& context) {
  const size_t drawn = draw_.DrawUntried(context);
  if (drawn != kNoEndpoint || draw_.size() == 0) return drawn;
  return draw_.Draw(context.random);
}

}  // namespace sluice
