#include "core/upstream/balance/balancer.h"

#include "core/base/check.h"
#include "core/upstream/balance/hash_balancer.h"
#include "core/upstream/balance/least_connections.h"
#include "core/upstream/balance/least_request.h"
#include "core/upstream/balance/least_response_time.h"
#include "core/upstream/balance/peak_ewma.h"
#include "core/upstream/balance/random_balancer.h"
#include "core/upstream/balance/round_robin.h"
#include "core/upstream/balance/utilization.h"

namespace sluice {
namespace {

template <typename Policy>
std::unique_ptr<Balancer> New(const BalanceSettings& settings, Random& random) {
  if constexpr (std::is_constructible_v<Policy, const BalanceSettings&, Random&>) {
    return std::make_unique<Policy>(settings, random);
  } else if constexpr (std::is_constructible_v<Policy, const BalanceSettings&>) {
    return std::make_unique<Policy>(settings);
  } else if constexpr (std::is_constructible_v<Policy, Random&>) {
    return std::make_unique<Policy>(random);
  } else {
    return std::make_unique<Policy>();
  }
}

struct PolicyKind {
  BalancePolicy policy;
  std::string_view name;
  std::unique_ptr<Balancer> (*make)(const BalanceSettings&, Random&);
  BalanceFeedback feedback;
};

// In the order of BalancePolicy.
constexpr PolicyKind kPolicies[] = {
    {BalancePolicy::kRoundRobin, "round_robin", New<RoundRobin>, {}},
    {BalancePolicy::kRandom, "random", New<RandomBalancer>, {}},
    {BalancePolicy::kLeastRequest, "least_request", New<LeastRequest>, {.active = true}},
    {BalancePolicy::kLeastConnections,
     "least_connections",
     New<LeastConnections>,
     {.active = true}},
    {BalancePolicy::kPeakEwma, "peak_ewma", New<PeakEwma>, {.active = true, .peak_latency = true}},
    {BalancePolicy::kLeastResponseTime,
     "least_response_time",
     New<LeastResponseTime>,
     {.active = true, .mean_latency = true}},
    {BalancePolicy::kRingHash, "ring_hash", New<HashBalancer>, {.active = true}},
    {BalancePolicy::kMaglev, "maglev", New<HashBalancer>, {.active = true}},
    {BalancePolicy::kUtilization, "utilization", New<Utilization>, {.reports = true}},
};

const PolicyKind& KindOf(BalancePolicy policy) {
  const PolicyKind& kind = kPolicies[static_cast<size_t>(policy)];
  CHECK(kind.policy == policy);
  return kind;
}

}  // namespace

std::string_view NameOf(BalancePolicy policy) { return KindOf(policy).name; }

BalanceFeedback BalanceSettings::feedback() const {
  BalanceFeedback feedback = KindOf(policy).feedback;
  if (hashes() && bounded_load == 0) feedback.active = false;
  return feedback;
}

std::unique_ptr<Balancer> NewBalancer(const BalanceSettings& settings, Random& random) {
  return KindOf(settings.policy).make(settings, random);
}

}  // namespace sluice
