#include "core/upstream/balance/hash_balancer.h"

#include <algorithm>
#include <cmath>

#include "core/upstream/balance/hash_table.h"

namespace sluice {
namespace {

// So many places for each of the table's members, at most, until anybody is taken. With equal
// weights all are met far sooner.
constexpr size_t kMostSteps = 64;

}  // namespace

void HashBalancer::Update(const BalancerGroup& group) {
  group_ = &group;
  total_weight_ = 0;
  for (const BalancerMember& member : group.members) total_weight_ += member.weight;
}

double HashBalancer::Bound() const {
  uint64_t active = 1;  // the one to come
  for (const BalancerMember& member : group_->members) active += member.load->active.value();
  return static_cast<double>(active) * factor_ / total_weight_;
}

size_t HashBalancer::Pick(const PickContext& context) {
  if (group_ == nullptr || group_->members.empty()) return kNoEndpoint;
  const std::vector<BalancerMember>& members = group_->members;
  const std::vector<uint32_t>& table_members = *group_->table_members;
  const HashTable& table = *group_->table;
  size_t place = table.PlaceOf(context.hash ? *context.hash : context.random.Next());
  size_t untried = kNoEndpoint;  // the first that was not, however busy
  double bound = 0;
  size_t steps = std::min(table.size(), table_members.size() * kMostSteps);
  for (; steps > 0; --steps, place = table.Next(place)) {
    const uint32_t chosen = table_members[table.MemberAt(place)];
    if (chosen == BalancerGroup::kNotMember) continue;
    const BalancerMember& member = members[chosen];
    if (context.IsTried(member)) continue;
    if (untried == kNoEndpoint) untried = chosen;
    if (factor_ == 0) return chosen;
    const uint64_t active = member.load->active.value();
    if (active == 0) return chosen;  // one is always within the bound
    if (bound == 0) bound = Bound();
    if (static_cast<double>(active + 1) <= std::ceil(bound * member.weight)) return chosen;
  }
  if (untried != kNoEndpoint) return untried;
  // Those that are left have too small a share of the table to be met soon.
  size_t other = context.random.Below(members.size());
  for (size_t i = 0; i < members.size() && context.IsTried(members[other]); ++i) {
    other = other + 1 == members.size() ? 0 : other + 1;
  }
  return other;
}

}  // namespace sluice
