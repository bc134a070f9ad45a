#include "core/upstream/balance/hash_balancer.h"

#include <cmath>

#include "core/upstream/balance/hash_table.h"

namespace sluice {
namespace {

// So many places for each member, at most, until anybody is taken. All are met far sooner.
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
  if (group_ == nullptr || group_->table == nullptr || group_->table->empty()) return kNoEndpoint;
  const std::vector<BalancerMember>& members = group_->members;
  const HashTable& table = *group_->table;
  size_t place = table.PlaceOf(context.hash ? *context.hash : context.random.Next());
  size_t untried = kNoEndpoint;  // the first that was not, however busy
  double bound = 0;
  for (size_t step = members.size() * kMostSteps; step > 0; --step, place = table.Next(place)) {
    const size_t chosen = table.MemberAt(place);
    const BalancerMember& member = members[chosen];
    if (context.IsTried(member)) continue;
    if (untried == kNoEndpoint) untried = chosen;
    if (factor_ == 0) return chosen;
    const uint64_t active = member.load->active.value();
    if (active == 0) return chosen;  // one is always within the bound
    if (bound == 0) bound = Bound();
    if (static_cast<double>(active + 1) <= std::ceil(bound * member.weight)) return chosen;
  }
  return untried == kNoEndpoint ? table.MemberAt(table.PlaceOf(context.random.Next())) : untried;
}

}  // namespace sluice
