#include "core/upstream/balance/weighted_draw.h"

#include <algorithm>

namespace sluice {

const std::vector<BalancerMember> WeightedDraw::kNobody;

void WeightedDraw::Update(const std::vector<BalancerMember>& members) {
  members_ = &members;
  ends_.clear();
  const bool equal = std::all_of(members.begin(), members.end(), [&](const BalancerMember& each) {
    return each.weight == members.front().weight;
  });
  if (equal) return;
  ends_.reserve(members.size());
  uint64_t sum = 0;
  for (const BalancerMember& member : members) ends_.push_back(sum += member.weight);
}

// One is left out by drawing from what remains without it, and moving the draws that lie behind its
// place by its share: the others keep their proportions.
size_t WeightedDraw::Draw(Random& random, size_t left_out) const {
  const size_t size = members_->size();
  if (ends_.empty()) {
    if (left_out >= size) return random.Below(size);
    const size_t drawn = random.Below(size - 1);
    return drawn < left_out ? drawn : drawn + 1;
  }
  const bool leaves_out = left_out < size;
  const uint64_t begin = !leaves_out || left_out == 0 ? 0 : ends_[left_out - 1];
  const uint64_t weight = leaves_out ? ends_[left_out] - begin : 0;
  uint64_t drawn = random.Below(ends_.back() - weight);
  if (drawn >= begin) drawn += weight;
  return static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), drawn) - ends_.begin());
}

size_t WeightedDraw::DrawUntried(const PickContext& context, size_t left_out) const {
  const std::vector<BalancerMember>& members = *members_;
  if (context.tried == nullptr || context.tried->empty()) {
    const size_t most = left_out < members.size() ? members.size() - 1 : members.size();
    return most == 0 ? kNone : Draw(context.random, left_out);
  }
  // The one whose share the drawn point falls into, as far as can be said after each.
  size_t chosen = kNone;
  uint64_t sum = 0;
  for (size_t i = 0; i < members.size(); ++i) {
    if (i == left_out || context.IsTried(members[i])) continue;
    sum += members[i].weight;
    if (context.random.Below(sum) < members[i].weight) chosen = i;
  }
  return chosen;
}

}  // namespace sluice
