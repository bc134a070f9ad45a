// Balancer: a policy: chooses one of the members of a group for a request. One per worker and
// group, of the worker's thread. Who the members are at a time (health, priority, zone, subset) is
// ClusterBalancer's.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_BALANCER_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_BALANCER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/upstream/balance/balance_settings.h"
#include "core/upstream/balance/endpoint_load.h"
#include "core/upstream/balance/tried_endpoints.h"

namespace sluice {

class HashTable;

// An endpoint, as the balancer of its group sees it.
struct BalancerMember {
  EndpointLoad* load;
  uint32_t id;      // Endpoint::id
  uint32_t weight;  // 1 or more
  uint32_t index;   // in the endpoint set
};

struct BalancerGroup {
  std::vector<BalancerMember> members;
  // For policies that hash: who a key belongs to, and by the table's members the places in
  // `members`; kNotMember: it must not be chosen, the key's next one is.
  const HashTable* table = nullptr;
  const std::vector<uint32_t>* table_members = nullptr;

  static constexpr uint32_t kNotMember = UINT32_MAX;
};

struct PickContext {
  Random& random;
  Nanos now = 0;
  const TriedEndpoints* tried = nullptr;  // null: none
  std::optional<uint64_t> hash = {};      // of the request's key, for policies that hash
  bool other_priority = false;            // than those of the tried ones, if there is another

  bool IsTried(const BalancerMember& member) const {
    return tried != nullptr && tried->Has(member.id);
  }
};

class Balancer {
 public:
  static constexpr size_t kNoEndpoint = SIZE_MAX;

  virtual ~Balancer() = default;
  // The group is another, or its members have changed; it lives until the next Update.
  virtual void Update(const BalancerGroup& group) = 0;
  // A place among the members; one that was not tried, if there is one. kNoEndpoint if there are no
  // members.
  virtual size_t Pick(const PickContext& context) = 0;
};

// `random` gives each worker its own start, so that they do not move in step. `settings` outlive
// the balancer.
std::unique_ptr<Balancer> NewBalancer(const BalanceSettings& settings, Random& random);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_BALANCER_H_
