// Endpoint: one address of a cluster. EndpointSet: all of them at one moment, and how requests are
// to be shared among them; immutable, built on the main thread at each change of config, DNS or
// health, and published to the workers.
#ifndef SLUICE_CORE_UPSTREAM_ENDPOINT_H_
#define SLUICE_CORE_UPSTREAM_ENDPOINT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/net/address.h"
#include "core/stats/scope.h"
#include "core/stats/shared_gauge.h"
#include "core/upstream/balance/balance_settings.h"
#include "core/upstream/endpoint_health.h"
#include "core/upstream/outlier/outlier_counts.h"

namespace sluice {

class Breaker;
class HashTable;

struct EndpointStats {
  Counter requests;
  Counter failures;  // connects that failed, resets, timeouts and 5xx

  void Describe(MetricTable& table) {
    table.Add(requests,
              Metric{"sluice_endpoint_requests_total", "Requests sent to the endpoint."}.OfMany());
    table.Add(failures,
              Metric{"sluice_endpoint_failures_total",
                     "Requests that failed at the endpoint: connect, reset, timeout, 5xx."}
                  .OfMany());
  }
};

struct Endpoint {
  Address address;
  std::string text;      // "127.0.0.1:9001"
  std::string hostname;  // the name it was resolved from; empty if the config gave the address
  std::string zone;
  LabelPairs metadata;
  uint32_t weight = 1;
  uint32_t priority = 0;  // 0 is used first

  // From here on given by the cluster.
  uint32_t id = 0;            // its own as long as it is in the cluster, and nobody's afterwards
  EndpointFaults faults = 0;  // when the set was built
  EndpointFaults check = 0;   // of them, those of active checks
  Nanos since = 0;            // when it came or became usable again; 0: it was there from the start
  std::string session;        // its name in the cookie of sticky sessions
  EndpointHealth health;
  SharedGauge active;          // set if the cluster's policy counts what is in flight
  SharedGauge connections;     // set if the cluster limits them per endpoint
  Breaker* breaker = nullptr;  // lives as long as the cluster; null: none
  OutlierCounts outliers;      // set if the cluster detects them
  StatsGroup<EndpointStats> stats;

  bool usable() const { return faults == 0; }
  // Nothing is known against it, though it may never have been checked.
  bool may_be_usable() const {
    return (faults & ~static_cast<unsigned>(EndpointFault::kUnchecked)) == 0;
  }
};

// Those that one policy chooses among: of one priority, one zone or all, one subset or all.
struct EndpointGroup {
  uint64_t key = 0;  // the same in each set, for what a balancer remembers
  uint32_t priority = 0;
  std::vector<uint32_t> members;  // in EndpointSet::endpoints
  // For policies that hash: of all that could be members, usable or not, so that it is built anew
  // when some come or go, not when their health changes. Shared by the sets in which they are the
  // same.
  std::shared_ptr<const HashTable> table;
  std::vector<uint32_t> table_of;  // what `table` is of, in EndpointSet::endpoints
  // By HashTable::MemberAt: the place in `members`, or BalancerGroup::kNotMember.
  std::vector<uint32_t> table_members;
};

// The groups that requests for some subset go to, and how many to which.
struct EndpointSubset {
  static constexpr uint32_t kNoGroup = UINT32_MAX;

  struct Share {
    uint32_t group;
    double up_to;  // of 1: its part and those before it
    // In panic, where `group` has all endpoints: those of the level that are usable; else kNoGroup.
    uint32_t usable = kNoGroup;
  };

  std::string metadata;       // SubsetText; of the first, which has all endpoints: empty
  std::vector<Share> shares;  // none: nobody may be used
};

struct EndpointSet {
  std::vector<Endpoint> endpoints;
  uint64_t version = 0;  // grows with each change
  uint32_t priorities_in_panic = 0;
  std::vector<EndpointGroup> groups;
  std::vector<EndpointSubset> subsets;  // never empty; the first has all endpoints,
                                        // the others are sorted
  // Indices of endpoints: by text, and those that have a session by session.
  std::vector<uint32_t> by_text;
  std::vector<uint32_t> by_session;

  // Of one of `endpoints`.
  size_t IndexOf(const Endpoint& endpoint) const {
    return static_cast<size_t>(&endpoint - endpoints.data());
  }
  // Null: there is none of that name.
  const Endpoint* FindByText(std::string_view text) const;
  const Endpoint* FindBySession(std::string_view session) const;
  const EndpointSubset* FindSubset(std::string_view metadata) const;
};

using EndpointSetPtr = std::shared_ptr<const EndpointSet>;

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_ENDPOINT_H_
