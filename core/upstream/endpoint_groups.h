// Groups the endpoints of a set by subset, priority and zone, and says which share of the requests
// each group gets: what depends on health is computed here once, on the main thread, and a pick
// only draws. Builds the hash tables too.
#ifndef SLUICE_CORE_UPSTREAM_ENDPOINT_GROUPS_H_
#define SLUICE_CORE_UPSTREAM_ENDPOINT_GROUPS_H_

#include "core/upstream/endpoint.h"

namespace sluice {

// Fills all of `set` that follows from its endpoints. `before`: the set that it takes the place of,
// or null; tables of groups that are the same are taken from there, and groups of the same members
// share theirs.
void GroupEndpoints(const BalanceSettings& settings, EndpointSet& set, const EndpointSet* before);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_ENDPOINT_GROUPS_H_
