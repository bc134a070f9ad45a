#include "core/upstream/balance/least_request.h"

namespace sluice {

// The second is taken if, with this request on top, it is still no busier than the first is now:
// with equal weights, if it has fewer; with others, idle members share by weight, and no light one
// is preferred for being idle.
size_t LeastRequest::Pick(const PickContext& context) {
  return draw_.DrawBetter(context, [](const BalancerMember& first, const BalancerMember& second) {
    return first.load->active.value() * second.weight >=
           (second.load->active.value() + 1) * first.weight;
  });
}

}  // namespace sluice
