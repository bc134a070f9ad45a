#include "core/upstream/balance/round_robin.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace sluice {
namespace {

// The most turns that the start of a weighted cycle is moved by: enough to part the workers, and
// cheap with many endpoints.
constexpr int64_t kMostSkipped = 256;

}  // namespace

void RoundRobin::Update(const BalancerGroup& group) {
  std::vector<Entry> before = std::exchange(entries_, {});
  // The cursor's member comes first in `before`, so that what follows looks for the next one that
  // is still there from its front.
  if (equal_ && !before.empty()) {
    std::rotate(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(cursor_),
                before.end());
  }
  const bool was_equal = equal_;

  int64_t divisor = 0;
  for (const BalancerMember& member : group.members) divisor = std::gcd(divisor, member.weight);
  entries_.reserve(group.members.size());
  total_ = 0;
  equal_ = true;
  for (const BalancerMember& member : group.members) {
    const int64_t weight = divisor == 0 ? 1 : member.weight / divisor;
    entries_.push_back({member.id, weight, 0});
    total_ += weight;
    if (weight != entries_.front().weight) equal_ = false;
  }

  cursor_ = 0;
  if (entries_.empty()) return;
  if (before.empty() || was_equal != equal_) {
    Begin();
  } else {
    KeepTurn(before);
  }
}

void RoundRobin::Begin() {
  if (equal_) {
    cursor_ = random_.Below(entries_.size());
    return;
  }
  const int64_t cycle = std::min(total_, kMostSkipped);
  for (uint64_t skip = random_.Below(static_cast<uint64_t>(cycle)); skip > 0; --skip) {
    PickSmooth(nullptr);
  }
}

void RoundRobin::KeepTurn(const std::vector<Entry>& before) {
  std::unordered_map<uint32_t, size_t> index;
  for (size_t i = 0; i < entries_.size(); ++i) index.emplace(entries_[i].id, i);

  if (equal_) {
    for (const Entry& entry : before) {
      const auto found = index.find(entry.id);
      if (found == index.end()) continue;
      cursor_ = found->second;
      return;
    }
    cursor_ = random_.Below(entries_.size());
    return;
  }

  // What is due moves along. Newcomers begin at the mean, neither ahead nor behind; nobody is so
  // far ahead or behind that it would take or miss more than one cycle's share.
  int64_t sum = 0;
  int64_t kept = 0;
  for (const Entry& entry : before) {
    const auto found = index.find(entry.id);
    if (found == index.end()) continue;
    entries_[found->second].current = entry.current;
    sum += entry.current;
    ++kept;
  }
  const int64_t mean = kept == 0 ? 0 : sum / kept;
  for (const Entry& entry : before) {
    const auto found = index.find(entry.id);
    if (found == index.end()) continue;
    int64_t& current = entries_[found->second].current;
    current = std::clamp(current - mean, -total_, total_);
  }
}

size_t RoundRobin::Pick(const PickContext& context) {
  if (entries_.empty()) return kNoEndpoint;
  if (equal_) return PickEqual(context);
  const TriedEndpoints* tried = context.tried;
  const bool all_tried =
      tried != nullptr && std::all_of(entries_.begin(), entries_.end(),
                                      [tried](const Entry& entry) { return tried->Has(entry.id); });
  return PickSmooth(all_tried ? nullptr : tried);
}

size_t RoundRobin::PickEqual(const PickContext& context) {
  const auto take = [this] {
    const size_t chosen = cursor_;
    cursor_ = cursor_ + 1 == entries_.size() ? 0 : cursor_ + 1;
    return chosen;
  };
  size_t chosen = take();
  if (context.tried == nullptr) return chosen;
  for (size_t i = 1; i < entries_.size() && context.tried->Has(entries_[chosen].id); ++i) {
    chosen = take();
  }
  return chosen;
}

// The share of one that stays out is neither used nor grows.
size_t RoundRobin::PickSmooth(const TriedEndpoints* tried) {
  size_t chosen = kNoEndpoint;
  int64_t total = total_;
  for (size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (tried != nullptr && tried->Has(entry.id)) {
      total -= entry.weight;
      continue;
    }
    entry.current += entry.weight;
    if (chosen == kNoEndpoint || entry.current > entries_[chosen].current) chosen = i;
  }
  entries_[chosen].current -= total;
  return chosen;
}

}  // namespace sluice
