// TestGroup: members for tests of balancers, with everything that they point at. For tests only.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_TEST_GROUP_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_TEST_GROUP_H_

#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/base/strings.h"
#include "core/upstream/balance/balancer.h"
#include "core/upstream/balance/hash_table.h"

namespace sluice {

class TestGroup {
 public:
  // Host numbers, which tell members across groups, and weights.
  explicit TestGroup(const std::vector<std::pair<int, uint32_t>>& hosts,
                     BalancePolicy policy = BalancePolicy::kRoundRobin) {
    std::vector<HashMember> keys;
    for (const auto& [host, weight] : hosts) {
      texts_.push_back(std::make_unique<std::string>(
          StrCat({"10.0.0.", Decimal(static_cast<uint64_t>(host)), ":80"})));
      keys.push_back({*texts_.back(), weight});
      cells_.push_back(std::make_unique<StatsCell>(0));
      loads_.push_back(std::make_unique<EndpointLoad>());
      loads_.back()->active = SharedGauge(cells_.back().get());
      loads_.back()->latency.Assume(LatencyAverage::kUnknown, 0);
      group_.members.push_back({loads_.back().get(), static_cast<uint32_t>(host) + 1, weight,
                                static_cast<uint32_t>(group_.members.size())});
      total_weight_ += weight;
    }
    if (policy == BalancePolicy::kRingHash) table_ = HashTable::Ring(keys);
    if (policy == BalancePolicy::kMaglev) table_ = HashTable::Maglev(keys);
    group_.table = table_.get();
    table_members_ = std::make_unique<std::vector<uint32_t>>(hosts.size());
    std::iota(table_members_->begin(), table_members_->end(), 0u);
    group_.table_members = table_members_.get();
  }
  static TestGroup Equal(int count, BalancePolicy policy = BalancePolicy::kRoundRobin) {
    std::vector<std::pair<int, uint32_t>> hosts;
    for (int i = 0; i < count; ++i) hosts.emplace_back(i, 1);
    return TestGroup(hosts, policy);
  }

  const BalancerGroup& group() const { return group_; }
  size_t size() const { return group_.members.size(); }
  uint32_t id(size_t place) const { return group_.members.at(place).id; }
  uint32_t weight(size_t place) const { return group_.members.at(place).weight; }
  uint64_t total_weight() const { return total_weight_; }
  EndpointLoad& load(size_t place) { return *loads_.at(place); }
  StatsCell& active(size_t place) { return *cells_.at(place); }

 private:
  std::vector<std::unique_ptr<std::string>> texts_;
  std::vector<std::unique_ptr<StatsCell>> cells_;
  std::vector<std::unique_ptr<EndpointLoad>> loads_;
  std::unique_ptr<const HashTable> table_;
  std::unique_ptr<std::vector<uint32_t>> table_members_;
  BalancerGroup group_;
  uint64_t total_weight_ = 0;
};

// A balancer with its random numbers, as a worker has them.
struct TestBalancer {
  TestBalancer(const BalanceSettings& its_settings, uint64_t seed)
      : settings(its_settings), random(seed), balancer(NewBalancer(settings, random)) {}
  TestBalancer(BalancePolicy policy, uint64_t seed) : TestBalancer(SettingsOf(policy), seed) {}

  static BalanceSettings SettingsOf(BalancePolicy policy) {
    BalanceSettings settings;
    settings.policy = policy;
    return settings;
  }

  void Update(const TestGroup& group) { balancer->Update(group.group()); }
  size_t Pick() { return balancer->Pick({random, now}); }
  size_t PickKey(uint64_t hash) { return balancer->Pick({random, now, nullptr, hash}); }
  size_t PickOther(const TriedEndpoints& tried) { return balancer->Pick({random, now, &tried}); }
  std::vector<size_t> PickMany(size_t count) {
    std::vector<size_t> picks;
    for (size_t i = 0; i < count; ++i) picks.push_back(Pick());
    return picks;
  }

  BalanceSettings settings;
  Random random;
  Nanos now = kSecond;
  std::unique_ptr<Balancer> balancer;
};

inline std::vector<size_t> CountOf(const std::vector<size_t>& picks, size_t members) {
  std::vector<size_t> counts(members);
  for (const size_t pick : picks) ++counts.at(pick);
  return counts;
}

inline TriedEndpoints Tried(const TestGroup& group, const std::vector<size_t>& places) {
  TriedEndpoints tried;
  for (const size_t place : places) tried.Add(group.id(place));
  return tried;
}

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_TEST_GROUP_H_
