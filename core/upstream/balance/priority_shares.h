// How requests are shared among priorities, as Envoy does it: each level counts for what it can
// take, its usable part times the overprovisioning factor, and the next has what is left. Where all
// levels together cannot take everything, the loads are scaled up, and a level with too few usable
// endpoints is in panic: it uses all it has, so that the few are not flattened. A pure function.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_PRIORITY_SHARES_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_PRIORITY_SHARES_H_

#include <cstddef>
#include <vector>

namespace sluice {

struct PriorityLevel {
  size_t endpoints = 0;
  size_t usable = 0;
};

struct PriorityShare {
  double share = 0;    // of 1
  bool panic = false;  // all endpoints are to be used
};

// As long as `levels`, the most wanted first. All shares are 0 where nobody can be used.
std::vector<PriorityShare> SharesOf(const std::vector<PriorityLevel>& levels,
                                    double overprovisioning, double panic_threshold);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_PRIORITY_SHARES_H_
