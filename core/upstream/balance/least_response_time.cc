#include "core/upstream/balance/least_response_time.h"

namespace sluice {

size_t LeastResponseTime::Pick(const PickContext& context) {
  return draw_.DrawLeast(context, [&](const BalancerMember& member) {
    return member.load->latency.At(context.now, settings_.decay) *
           static_cast<double>(member.load->active.value() + 1) / member.weight;
  });
}

}  // namespace sluice
