#include "core/upstream/balance/least_connections.h"

namespace sluice {

void LeastConnections::Update(const BalancerGroup& group) {
  group_ = &group;
  draw_.Update(group.members);
}

size_t LeastConnections::Pick(const PickContext& context) {
  if (draw_.size() == 0) return kNoEndpoint;
  const std::vector<BalancerMember>& members = group_->members;
  size_t chosen = kNoEndpoint;
  uint64_t chosen_active = 0;
  uint64_t equal_weight = 0;  // of the chosen and those that are as good
  for (size_t i = 0; i < members.size(); ++i) {
    const BalancerMember& member = members[i];
    if (context.IsTried(member)) continue;
    const uint64_t active = member.load->active.value();
    if (chosen != kNoEndpoint) {
      const uint64_t ours = active * members[chosen].weight;
      const uint64_t best = chosen_active * member.weight;
      if (ours > best) continue;
      if (ours == best) {
        equal_weight += member.weight;
        if (context.random.Below(equal_weight) >= member.weight) continue;
        chosen = i;
        chosen_active = active;
        continue;
      }
    }
    chosen = i;
    chosen_active = active;
    equal_weight = member.weight;
  }
  return chosen == kNoEndpoint ? draw_.Draw(context.random) : chosen;
}

}  // namespace sluice
