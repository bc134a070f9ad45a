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

  // Of two that were not tried the better one, as `second_is_better(first, second)` says. Any, if
  // all were; kNone: there are no members.
  template <typename SecondIsBetter>
  size_t DrawBetter(const PickContext& context, SecondIsBetter second_is_better) const {
    if (size() == 0) return kNone;
    const size_t first = DrawUntried(context);
    if (first == kNone) return Draw(context.random);
    const size_t second = DrawUntried(context, first);
    if (second == kNone) return first;
    return second_is_better((*members_)[first], (*members_)[second]) ? second : first;
  }
  // Of all that were not tried the one with the least `load(member)`, a double; among equals by
  // weight, at random: workers that count the same do not choose the same. O(n). Else as above.
  template <typename Load>
  size_t DrawLeast(const PickContext& context, Load load) const {
    size_t chosen = kNone;
    double least = 0;
    uint64_t equal_weight = 0;  // of the chosen and those that are as good
    for (size_t i = 0; i < size(); ++i) {
      const BalancerMember& member = (*members_)[i];
      if (context.IsTried(member)) continue;
      const double its = load(member);
      if (chosen != kNone && its > least) continue;
      const bool equal = chosen != kNone && its == least;
      equal_weight = (equal ? equal_weight : 0) + member.weight;
      least = its;
      if (equal && context.random.Below(equal_weight) >= member.weight) continue;
      chosen = i;
    }
    if (chosen != kNone || size() == 0) return chosen;
    return Draw(context.random);
  }

 private:
  static const std::vector<BalancerMember> kNobody;

  const std::vector<BalancerMember>* members_ = &kNobody;
  std::vector<uint64_t> ends_;  // [i]: the sum of the weights of members 0 .. i; empty: all equal
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_WEIGHTED_DRAW_H_
