// WeightedDraw: draws members at random, each as likely as its weight says. Part of a balancer.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_WEIGHTED_DRAW_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_WEIGHTED_DRAW_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/upstream/balance/balancer.h"

namespace sluice {

class WeightedDraw {
 public:
  static constexpr size_t kNone = Balancer::kNoEndpoint;

  // The members live until the next Update.
  void Update(const std::vector<BalancerMember>& members);
  size_t size() const { return members_->size(); }

  // Any but `left_out`. O(1) if the weights are equal, else O(log n). REQUIRES: there is one.
  size_t Draw(Random& random, size_t left_out = kNone) const;
  // The same, but of those that were not tried: O(n) if some were. kNone: there is none.
  size_t DrawUntried(const PickContext& context, size_t left_out = kNone) const;

 private:
  static const std::vector<BalancerMember> kNobody;

  const std::vector<BalancerMember>* members_ = &kNobody;
  std::vector<uint64_t> ends_;  // [i]: the sum of the weights of members 0 .. i; empty: all equal
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_WEIGHTED_DRAW_H_
