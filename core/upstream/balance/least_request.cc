#include "core/upstream/balance/least_request.h"

namespace sluice {

void LeastRequest::Update(const BalancerGroup& group) {
  group_ = &group;
  draw_.Update(group.members);
}

// The second is taken if, with this request on top, it is still no busier than the first is now:
// with equal weights, if it has fewer; with others, idle members share by weight, and no light one
// is preferred for being idle.
size_t LeastRequest::Pick(const PickContext& context) {
  if (draw_.size() == 0) return kNoEndpoint;
  const size_t first = draw_.DrawUntried(context);
  if (first == kNoEndpoint) return draw_.Draw(context.random);
  const size_t second = draw_.DrawUntried(context, first);
  if (second == kNoEndpoint) return first;
  const BalancerMember& a = group_->members[first];
  const BalancerMember& b = group_->members[second];
  return a.load->active.value() * b.weight >= (b.load->active.value() + 1) * a.weight ? second
                                                                                      : first;
}

}  // namespace sluice
