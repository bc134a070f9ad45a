// BalanceSettings: what a cluster's `balance` says. Immutable, read by all workers.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_BALANCE_SETTINGS_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_BALANCE_SETTINGS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/config/hash_keys.h"
#include "core/config/labels.h"
#include "core/upstream/balance/reported_load.h"

namespace sluice {

enum class BalancePolicy : uint8_t {
  kRoundRobin,
  kRandom,
  kLeastRequest,
  kLeastConnections,
  kPeakEwma,
  kLeastResponseTime,
  kRingHash,
  kMaglev,
  kUtilization,
};

// As the configuration writes it.
std::string_view NameOf(BalancePolicy policy);

// What a policy must be told about requests; the rest is not measured.
struct BalanceFeedback {
  bool active = false;        // how many are in flight
  bool peak_latency = false;  // how long they took, by LatencyAverage::AddPeak
  bool mean_latency = false;  // the same, by AddToMean
  bool reports = false;       // what endpoints say of their load
};

struct SubsetSettings {
  enum class Fallback : uint8_t { kNone, kAny, kDefault };

  std::vector<std::vector<std::string>> keys;  // each sorted
  Fallback fallback = Fallback::kNone;
  LabelPairs otherwise;  // of kDefault
};

struct SessionSettings {
  std::string cookie;  // empty: no sticky sessions
  std::string key;
  Nanos ttl = 0;  // 0: as long as the browser's session
  std::string path;
};

struct BalanceSettings {
  BalancePolicy policy = BalancePolicy::kRoundRobin;
  HashKeys hash;              // where a route has none of its own
  double bounded_load = 1.5;  // of hash policies, times the mean; 0: no bound
  Nanos decay = 10 * kSecond;
  double exploration = 0.05;
  UtilizationSettings utilization;
  Nanos slow_start = 0;  // 0: none
  double slow_start_from = 0.1;
  double panic_threshold = 0.5;
  double overprovisioning = 1.4;
  std::string local_zone;  // empty: zones do not matter
  SubsetSettings subsets;
  SessionSettings session;

  bool hashes() const {
    return policy == BalancePolicy::kRingHash || policy == BalancePolicy::kMaglev;
  }
  BalanceFeedback feedback() const;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_BALANCE_SETTINGS_H_
