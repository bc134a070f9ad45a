#include "core/upstream/random_balancer.h"

#include <algorithm>

namespace sluice {

void RandomBalancer::Update(const EndpointSet& set) {
  ends_.clear();
  ends_.reserve(set.endpoints.size());
  equal_ = true;
  uint64_t sum = 0;
  for (const Endpoint& endpoint : set.endpoints) {
    if (endpoint.weight != set.endpoints.front().weight) equal_ = false;
    ends_.push_back(sum += endpoint.weight);
  }
}

// The one that was tried is left out by drawing from what remains without it, and moving the draws
// that lie behind its place by its share: the others keep their proportions.
size_t RandomBalancer::Pick(const PickContext& context) {
  const size_t size = ends_.size();
  if (size == 0) return kNoEndpoint;
  const size_t tried = size > 1 && context.tried < size ? context.tried : kNoEndpoint;
  if (equal_) {
    if (tried == kNoEndpoint) return context.random.Below(size);
    const size_t drawn = context.random.Below(size - 1);
    return drawn < tried ? drawn : drawn + 1;
  }
  const uint64_t tried_begin = tried == kNoEndpoint || tried == 0 ? 0 : ends_[tried - 1];
  const uint64_t tried_weight = tried == kNoEndpoint ? 0 : ends_[tried] - tried_begin;
  uint64_t drawn = context.random.Below(ends_.back() - tried_weight);
  if (drawn >= tried_begin) drawn += tried_weight;
  return static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), drawn) - ends_.begin());
}

}  // namespace sluice
