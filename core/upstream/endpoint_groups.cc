#include "core/upstream/endpoint_groups.h"

#include <xxhash.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "core/config/labels.h"
#include "core/upstream/balance/balancer.h"
#include "core/upstream/balance/hash_table.h"
#include "core/upstream/balance/priority_shares.h"

namespace sluice {
namespace {

using Indices = std::vector<uint32_t>;

// Which of a level's groups: keys of groups must differ.
enum class Part : uint8_t { kAll, kLocal, kRemote, kUsable };

class Grouping {
 public:
  Grouping(const BalanceSettings& settings, EndpointSet& set, const EndpointSet* before)
      : settings_(settings), set_(set), before_(before) {}

  void AddSubset(std::string metadata, const Indices& members) {
    EndpointSubset& subset = set_.subsets.emplace_back();
    subset.metadata = std::move(metadata);
    // What an operator drained is not there: it makes no level ill.
    std::map<uint32_t, Indices> levels;
    for (const uint32_t index : members) {
      const Endpoint& endpoint = set_.endpoints[index];
      if (HasFault(endpoint.faults, EndpointFault::kDrained)) continue;
      levels[endpoint.priority].push_back(index);
    }
    std::vector<PriorityLevel> counts;
    for (auto& [priority, level] : levels) {
      LeaveOutUnchecked(level);
      counts.push_back({level.size(), Usable(level).size()});
    }
    const std::vector<PriorityShare> shares =
        SharesOf(counts, settings_.overprovisioning, settings_.panic_threshold);
    size_t i = 0;
    for (const auto& [priority, level] : levels) {
      const PriorityShare& share = shares[i++];
      // Groups without a share are there for second tries.
      if (share.panic && set_.subsets.size() == 1) ++set_.priorities_in_panic;
      const Indices wanted = share.panic ? level : Usable(level);
      if (wanted.empty()) continue;
      const size_t first = subset.shares.size();
      AddLevel(subset, priority, level, wanted, share.share);
      if (share.panic) AddRefuge(subset, priority, first, level);
    }
    if (subset.shares.empty()) return;
    subset.shares.back().up_to = 1;
  }

 private:
  // Where some are known to be well, those that were never checked are not there yet.
  void LeaveOutUnchecked(Indices& level) const {
    const auto usable = [this](uint32_t index) { return set_.endpoints[index].usable(); };
    if (std::none_of(level.begin(), level.end(), usable)) return;
    std::erase_if(level, [this](uint32_t index) {
      return HasFault(set_.endpoints[index].faults, EndpointFault::kUnchecked);
    });
  }

  // After that: where nobody is known to be well, those of whom nothing is known are.
  Indices Usable(const Indices& level) const {
    Indices usable;
    for (const uint32_t index : level) {
      if (set_.endpoints[index].may_be_usable()) usable.push_back(index);
    }
    return usable;
  }

  bool IsLocal(uint32_t index) const { return set_.endpoints[index].zone == settings_.local_zone; }

  void AddLevel(EndpointSubset& subset, uint32_t priority, const Indices& level,
                const Indices& wanted, double share) {
    Indices local;
    Indices remote;
    for (const uint32_t index : wanted) (IsLocal(index) ? local : remote).push_back(index);
    if (settings_.local_zone.empty() || local.empty() || remote.empty()) {
      return AddGroup(subset, priority, Part::kAll, wanted, level, share);
    }
    Indices all_local;
    Indices all_remote;
    for (const uint32_t index : level) (IsLocal(index) ? all_local : all_remote).push_back(index);
    // The local zone takes what its usable part can take, others the rest.
    const double takes =
        std::min(1.0, static_cast<double>(local.size()) / static_cast<double>(all_local.size()) *
                          settings_.overprovisioning);
    AddGroup(subset, priority, Part::kLocal, local, all_local, share * takes);
    AddGroup(subset, priority, Part::kRemote, remote, all_remote, share * (1 - takes));
  }

  // Where requests of a level in panic, whose shares begin with `first`, are tried again.
  void AddRefuge(EndpointSubset& subset, uint32_t priority, size_t first, const Indices& level) {
    const Indices usable = Usable(level);
    if (usable.empty()) return;
    const uint32_t refuge = NewGroup(subset, priority, Part::kUsable, usable, level);
    for (size_t i = first; i < subset.shares.size(); ++i) subset.shares[i].usable = refuge;
  }

  // `all`: the members, and those that would be if they were usable.
  void AddGroup(EndpointSubset& subset, uint32_t priority, Part part, const Indices& members,
                const Indices& all, double share) {
    const double up_to = subset.shares.empty() ? 0 : subset.shares.back().up_to;
    subset.shares.push_back({NewGroup(subset, priority, part, members, all), up_to + share});
  }

  uint32_t NewGroup(const EndpointSubset& subset, uint32_t priority, Part part,
                    const Indices& members, const Indices& all) {
    EndpointGroup& group = set_.groups.emplace_back();
    group.key = XXH3_64bits_withSeed(subset.metadata.data(), subset.metadata.size(),
                                     uint64_t{priority} << 8 | static_cast<uint64_t>(part));
    group.priority = priority;
    group.members = members;
    if (settings_.hashes()) AddTable(group, all);
    return static_cast<uint32_t>(set_.groups.size() - 1);
  }

  void AddTable(EndpointGroup& group, const Indices& all) const {
    group.table_of = all;
    group.table = TableOf(group);
    group.table_members.assign(all.size(), BalancerGroup::kNotMember);
    // Both are in the same order.
    uint32_t place = 0;
    for (size_t i = 0; i < all.size() && place < group.members.size(); ++i) {
      if (all[i] == group.members[place]) group.table_members[i] = place++;
    }
  }

  static std::vector<HashMember> HashMembersOf(const EndpointSet& set, const EndpointGroup& group) {
    std::vector<HashMember> members;
    for (const uint32_t index : group.table_of) {
      members.push_back({set.endpoints[index].text, set.endpoints[index].weight});
    }
    return members;
  }

  std::shared_ptr<const HashTable> TableOf(const EndpointGroup& group) const {
    // A level's refuge has the members of the level itself: that it gets into panic builds nothing.
    for (const EndpointGroup& made : set_.groups) {
      if (made.table != nullptr && made.table_of == group.table_of) return made.table;
    }
    const std::vector<HashMember> members = HashMembersOf(set_, group);
    if (before_ != nullptr) {
      for (const EndpointGroup& old : before_->groups) {
        if (old.key != group.key) continue;
        const std::vector<HashMember> same = HashMembersOf(*before_, old);
        if (std::equal(members.begin(), members.end(), same.begin(), same.end(),
                       [](const HashMember& a, const HashMember& b) {
                         return a.key == b.key && a.weight == b.weight;
                       })) {
          return old.table;
        }
      }
    }
    return settings_.policy == BalancePolicy::kRingHash ? HashTable::Ring(members)
                                                        : HashTable::Maglev(members);
  }

  const BalanceSettings& settings_;
  EndpointSet& set_;
  const EndpointSet* before_;
};

// The endpoint's values of these keys; empty if it lacks one.
LabelPairs Select(const LabelPairs& metadata, const std::vector<std::string>& keys) {
  LabelPairs selected;
  for (const auto& pair : metadata) {
    if (std::find(keys.begin(), keys.end(), pair.first) != keys.end()) selected.push_back(pair);
  }
  if (selected.size() != keys.size()) selected.clear();
  return selected;
}

Indices Sorted(const EndpointSet& set, std::string Endpoint::*field) {
  Indices order;
  for (uint32_t i = 0; i < set.endpoints.size(); ++i) {
    if (!(set.endpoints[i].*field).empty()) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return set.endpoints[a].*field < set.endpoints[b].*field;
  });
  return order;
}

}  // namespace

void GroupEndpoints(const BalanceSettings& settings, EndpointSet& set, const EndpointSet* before) {
  set.by_text = Sorted(set, &Endpoint::text);
  set.by_session = Sorted(set, &Endpoint::session);
  Grouping grouping(settings, set, before);
  Indices all(set.endpoints.size());
  std::iota(all.begin(), all.end(), 0u);
  grouping.AddSubset({}, all);
  std::map<std::string, Indices> subsets;
  for (const std::vector<std::string>& keys : settings.subsets.keys) {
    for (const uint32_t index : all) {
      const LabelPairs selected = Select(set.endpoints[index].metadata, keys);
      if (!selected.empty()) subsets[SubsetText(selected)].push_back(index);
    }
  }
  if (settings.subsets.fallback == SubsetSettings::Fallback::kDefault) {
    const std::string text = SubsetText(settings.subsets.otherwise);
    for (const uint32_t index : all) {
      const LabelPairs& metadata = set.endpoints[index].metadata;
      if (std::includes(metadata.begin(), metadata.end(), settings.subsets.otherwise.begin(),
                        settings.subsets.otherwise.end())) {
        Indices& members = subsets[text];
        if (std::find(members.begin(), members.end(), index) == members.end()) {
          members.push_back(index);
        }
      }
    }
  }
  for (auto& [text, members] : subsets) grouping.AddSubset(text, members);
}

}  // namespace sluice
