// RandomBalancer: any endpoint, as likely as its weight says. Keeps no turn, so that many workers
// need not agree. Of one worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_RANDOM_BALANCER_H_
#define SLUICE_CORE_UPSTREAM_RANDOM_BALANCER_H_

#include <cstdint>
#include <vector>

#include "core/upstream/balancer.h"

namespace sluice {

class RandomBalancer final : public Balancer {
 public:
  void Update(const EndpointSet& set) override;
  // O(1) if the weights are equal, else O(log n).
  size_t Pick(const PickContext& context) override;

 private:
  std::vector<uint64_t> ends_;  // [i]: the sum of the weights of endpoints 0 .. i
  bool equal_ = true;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_RANDOM_BALANCER_H_
