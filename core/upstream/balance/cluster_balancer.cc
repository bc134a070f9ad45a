#include "core/upstream/balance/cluster_balancer.h"

#include <algorithm>
#include <bitset>
#include <utility>

#include "core/config/labels.h"

namespace sluice {
namespace {

constexpr size_t kPriorities = 128;  // as cluster.proto says

// How often another endpoint is asked for when the chosen one has had its share.
constexpr int kMostRampDraws = 16;

// In [0, 1), the same for the same key, but independent of where the key falls in a table.
double FractionOf(uint64_t hash) {
  return static_cast<double>((hash * 0x9e3779b97f4a7c15) >> 11) * 0x1.0p-53;
}

}  // namespace

void ClusterBalancer::Update(const EndpointSet& set, const std::vector<EndpointLoad*>& loads,
                             Nanos now) {
  set_ = &set;
  if (settings_.feedback().peak_latency || settings_.feedback().mean_latency) {
    AssumeLatencies(loads, now);
  }
  ramps_until_ = 0;
  for (const Endpoint& endpoint : set.endpoints) {
    if (endpoint.since == 0 || settings_.slow_start == 0) continue;
    ramps_until_ = std::max(ramps_until_, endpoint.since + settings_.slow_start);
  }

  std::vector<std::unique_ptr<Group>> before = std::move(groups_);
  groups_.clear();
  for (const EndpointGroup& group : set.groups) {
    const auto known = std::find_if(before.begin(), before.end(), [&](const auto& each) {
      return each != nullptr && each->key == group.key;
    });
    std::unique_ptr<Group> own =
        known != before.end()
            ? std::move(*known)
            : std::unique_ptr<Group>(new Group{group.key, {}, NewBalancer(settings_, random_)});
    own->group.members.clear();
    for (const uint32_t index : group.members) {
      const Endpoint& endpoint = set.endpoints[index];
      own->group.members.push_back({loads[index], endpoint.id, endpoint.weight, index});
    }
    own->group.table = group.table.get();
    own->group.table_members = &group.table_members;
    own->balancer->Update(own->group);
    groups_.push_back(std::move(own));
  }
}

// A newcomer begins at the mean of the others: neither flooded nor starved.
void ClusterBalancer::AssumeLatencies(const std::vector<EndpointLoad*>& loads, Nanos now) const {
  double sum = 0;
  size_t known = 0;
  for (const EndpointLoad* load : loads) {
    if (load->latency.measured_at() == 0) continue;
    sum += load->latency.At(now, settings_.decay);
    ++known;
  }
  for (EndpointLoad* load : loads) {
    if (!load->latency.empty()) continue;
    load->latency.Assume(known == 0 ? LatencyAverage::kUnknown : sum / static_cast<double>(known),
                         now);
  }
}

const EndpointSubset* ClusterBalancer::FindSubset(std::string_view wanted) const {
  if (wanted.empty()) return &set_->subsets.front();
  const EndpointSubset* subset = set_->FindSubset(wanted);
  if (subset != nullptr && !subset->shares.empty()) return subset;
  switch (settings_.subsets.fallback) {
    case SubsetSettings::Fallback::kAny:
      return &set_->subsets.front();
    case SubsetSettings::Fallback::kDefault:
      return set_->FindSubset(SubsetText(settings_.subsets.otherwise));
    case SubsetSettings::Fallback::kNone:
      break;
  }
  return nullptr;
}

size_t ClusterBalancer::Pick(const PickContext& context, std::string_view wanted) {
  if (set_ == nullptr || groups_.empty()) return kNoEndpoint;
  const EndpointSubset* subset = FindSubset(wanted);
  if (subset == nullptr || subset->shares.empty()) return kNoEndpoint;
  if (context.other_priority && context.tried != nullptr) {
    const size_t other = PickOtherPriority(*subset, context);
    if (other != kNoEndpoint) return other;
  }
  size_t chosen = PickFrom(*subset, context);
  if (context.now >= ramps_until_ || settings_.hashes()) return chosen;
  for (int i = 0; i < kMostRampDraws && chosen != kNoEndpoint; ++i) {
    const double ramp = RampOf(set_->endpoints[chosen], context.now);
    if (ramp >= 1 || context.random.Fraction() < ramp) break;
    chosen = PickFrom(*subset, context);
  }
  return chosen;
}

size_t ClusterBalancer::PickFrom(const EndpointSubset& subset, const PickContext& context) {
  const std::vector<EndpointSubset::Share>& shares = subset.shares;
  const EndpointSubset::Share* share = &shares.front();
  if (share->up_to < 1) {
    const double drawn = context.hash ? FractionOf(*context.hash) : context.random.Fraction();
    while (share != &shares.back() && drawn >= share->up_to) ++share;
  }
  if (context.tried != nullptr && share->usable != EndpointSubset::kNoGroup) {
    // Panic spares the few that are left, by first tries. One that failed is not to fail again.
    const size_t usable = PickIn(*groups_[share->usable], context);
    if (usable != kNoEndpoint && !context.tried->Has(set_->endpoints[usable].id)) return usable;
  }
  const size_t chosen = PickIn(*groups_[share->group], context);
  if (context.tried == nullptr || chosen == kNoEndpoint ||
      !context.tried->Has(set_->endpoints[chosen].id)) {
    return chosen;
  }
  // All of that group were tried: another one's endpoint is better than any of these.
  for (const EndpointSubset::Share& other : shares) {
    if (&other == share) continue;
    const size_t untried = PickIn(*groups_[other.group], context);
    if (untried != kNoEndpoint && !context.tried->Has(set_->endpoints[untried].id)) return untried;
  }
  return chosen;
}

size_t ClusterBalancer::PickOtherPriority(const EndpointSubset& subset,
                                          const PickContext& context) {
  std::bitset<kPriorities> tried;
  for (const EndpointSubset::Share& share : subset.shares) {
    const std::vector<BalancerMember>& members = groups_[share.group]->group.members;
    if (std::any_of(members.begin(), members.end(),
                    [&context](const BalancerMember& member) { return context.IsTried(member); })) {
      tried.set(set_->groups[share.group].priority);
    }
  }
  for (const EndpointSubset::Share& share : subset.shares) {
    if (tried.test(set_->groups[share.group].priority)) continue;
    const size_t chosen = PickIn(*groups_[share.group], context);
    if (chosen != kNoEndpoint) return chosen;
  }
  return kNoEndpoint;
}

size_t ClusterBalancer::PickIn(Group& group, const PickContext& context) {
  const size_t place = group.balancer->Pick(context);
  return place == kNoEndpoint ? kNoEndpoint : group.group.members[place].index;
}

double ClusterBalancer::RampOf(const Endpoint& endpoint, Nanos now) const {
  if (endpoint.since == 0) return 1;
  const double passed = static_cast<double>(std::max<Nanos>(now - endpoint.since, 0)) /
                        static_cast<double>(settings_.slow_start);
  return std::max(passed, settings_.slow_start_from);
}

}  // namespace sluice
