#include "core/upstream/balance/utilization.h"

#include <algorithm>
#include <cmath>

namespace sluice {
namespace {

// The mean of all weights: fine enough for their ratios.
constexpr double kMean = 1000;
constexpr double kMost = 1'000'000;

}  // namespace

void Utilization::Update(const BalancerGroup& group) {
  group_ = &group;
  next_ = 0;
}

size_t Utilization::Pick(const PickContext& context) {
  if (group_ == nullptr || group_->members.empty()) return kNoEndpoint;
  if (context.now >= next_) Weigh(context.now);
  return turn_.Pick(context);
}

void Utilization::Weigh(Nanos now) {
  next_ = now + kUpdateEvery;
  double sum = 0;
  size_t known = 0;
  for (const BalancerMember& member : group_->members) {
    const double weight = member.load->reported.WeightAt(now, settings_.utilization);
    sum += weight;
    if (weight > 0) ++known;
  }
  weighted_.members = group_->members;
  if (known >= 2) {
    const double mean = sum / static_cast<double>(known);
    for (BalancerMember& member : weighted_.members) {
      const double weight = member.load->reported.WeightAt(now, settings_.utilization);
      const double share = weight > 0 ? std::round(weight / mean * kMean) : kMean;
      member.weight = static_cast<uint32_t>(std::clamp(share, 1.0, kMost));
    }
  }
  turn_.Update(weighted_);
}

}  // namespace sluice
