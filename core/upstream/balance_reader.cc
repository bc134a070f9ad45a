#include "core/upstream/balance_reader.h"

#include <algorithm>

#include "core/config/cluster.pb.h"

namespace sluice {
namespace {

BalancePolicy PolicyOf(config::Balance::Policy policy) {
  switch (policy) {
    case config::Balance::RANDOM:
      return BalancePolicy::kRandom;
    case config::Balance::LEAST_REQUEST:
      return BalancePolicy::kLeastRequest;
    case config::Balance::LEAST_CONNECTIONS:
      return BalancePolicy::kLeastConnections;
    case config::Balance::PEAK_EWMA:
      return BalancePolicy::kPeakEwma;
    case config::Balance::LEAST_RESPONSE_TIME:
      return BalancePolicy::kLeastResponseTime;
    case config::Balance::RING_HASH:
      return BalancePolicy::kRingHash;
    case config::Balance::MAGLEV:
      return BalancePolicy::kMaglev;
    case config::Balance::UTILIZATION:
      return BalancePolicy::kUtilization;
    default:
      return BalancePolicy::kRoundRobin;
  }
}

SubsetSettings ReadSubsets(const config::Subsets& config) {
  SubsetSettings subsets;
  for (const config::SubsetKeys& keys : config.by()) {
    std::vector<std::string>& names =
        subsets.keys.emplace_back(keys.names().begin(), keys.names().end());
    std::sort(names.begin(), names.end());
  }
  if (config.fallback() == config::Subsets::ANY) subsets.fallback = SubsetSettings::Fallback::kAny;
  if (config.fallback() == config::Subsets::DEFAULT) {
    subsets.fallback = SubsetSettings::Fallback::kDefault;
    subsets.otherwise = LabelPairsOf(config.default_());
  }
  return subsets;
}

}  // namespace

BalanceSettings ReadBalance(const config::Balance& config) {
  BalanceSettings settings;
  settings.policy = PolicyOf(config.policy());
  settings.hash = HashKeys(config.hash());
  settings.local_zone = config.zone();
  // A message that the loader made has all its numbers; one that was not written, none.
  if (config.decay() > 0) {
    settings.bounded_load = config.bounded_load();
    settings.decay = config.decay();
    settings.exploration = config.exploration() / 100;
    settings.panic_threshold = config.panic_threshold() / 100;
    settings.overprovisioning = config.overprovisioning();
  }
  if (config.has_utilization()) {
    const config::Utilization& utilization = config.utilization();
    settings.utilization = {utilization.blackout(), utilization.expiry(),
                            utilization.error_penalty()};
  }
  if (config.has_slow_start()) {
    settings.slow_start = config.slow_start().window();
    settings.slow_start_from = config.slow_start().from() / 100;
  }
  if (config.has_subsets()) settings.subsets = ReadSubsets(config.subsets());
  if (config.has_sticky_session()) {
    const config::StickySession& session = config.sticky_session();
    settings.session = {session.cookie(), session.key(), session.ttl(), session.path()};
  }
  return settings;
}

}  // namespace sluice
