#include "core/upstream/balance/peak_ewma.h"

namespace sluice {

void PeakEwma::Update(const BalancerGroup& group) {
  draw_.Update(group.members);
  double sum = 0;
  for (const BalancerMember& member : group.members) sum += member.weight;
  mean_weight_ = group.members.empty() ? 1 : sum / static_cast<double>(group.members.size());
}

// Weights say how much an endpoint can take, not how fast it answers: only what is in flight is
// measured against them. So idle ones share by their draws.
double PeakEwma::LoadOf(const BalancerMember& member, Nanos now) const {
  const double share = static_cast<double>(member.weight) / mean_weight_;
  const auto active = static_cast<double>(member.load->active.value());
  return member.load->latency.At(now, settings_.decay) * (active / share + 1);
}

size_t PeakEwma::Pick(const PickContext& context) {
  return draw_.DrawBetter(context, [&](const BalancerMember& first, const BalancerMember& second) {
    if (context.now - first.load->latency.measured_at() > kExploreAfter &&
        context.random.Fraction() < settings_.exploration) {
      return false;
    }
    return LoadOf(second, context.now) < LoadOf(first, context.now);
  });
}

}  // namespace sluice
