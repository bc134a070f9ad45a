#include "core/upstream/balance/least_response_time.h"

namespace sluice {

void LeastResponseTime::Update(const BalancerGroup& group) {
  group_ = &group;
  draw_.Update(group.members);
}

size_t LeastResponseTime::Pick(const PickContext& context) {
  if (draw_.size() == 0) return kNoEndpoint;
  const std::vector<BalancerMember>& members = group_->members;
  size_t chosen = kNoEndpoint;
  double least = 0;
  uint64_t equal_weight = 0;  // of the chosen and those that are as good
  for (size_t i = 0; i < members.size(); ++i) {
    const BalancerMember& member = members[i];
    if (context.IsTried(member)) continue;
    const double load = member.load->latency.At(context.now, settings_.decay) *
                        static_cast<double>(member.load->active.value() + 1) / member.weight;
    if (chosen != kNoEndpoint && load > least) continue;
    equal_weight = chosen != kNoEndpoint && load == least ? equal_weight + member.weight
                                                          : uint64_t{member.weight};
    least = load;
    if (equal_weight > member.weight && context.random.Below(equal_weight) >= member.weight) {
      continue;
    }
    chosen = i;
  }
  return chosen == kNoEndpoint ? draw_.Draw(context.random) : chosen;
}

}  // namespace sluice
