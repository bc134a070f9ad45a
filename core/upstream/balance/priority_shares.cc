#include "core/upstream/balance/priority_shares.h"

#include <algorithm>

namespace sluice {

std::vector<PriorityShare> SharesOf(const std::vector<PriorityLevel>& levels,
                                    double overprovisioning, double panic_threshold) {
  std::vector<PriorityShare> shares(levels.size());
  std::vector<double> takes(levels.size());  // how much of everything it can take
  double sum = 0;
  double endpoints = 0;
  for (size_t i = 0; i < levels.size(); ++i) {
    if (levels[i].endpoints == 0) continue;
    const auto all = static_cast<double>(levels[i].endpoints);
    const double usable = static_cast<double>(levels[i].usable) / all;
    takes[i] = std::min(1.0, usable * overprovisioning);
    sum += takes[i];
    endpoints += all;
    shares[i].panic = usable < panic_threshold;
  }
  if (sum == 0) {
    // Nobody is usable: all are, unless that is not wanted.
    if (panic_threshold == 0 || endpoints == 0) return shares;
    for (size_t i = 0; i < levels.size(); ++i) {
      shares[i].share = static_cast<double>(levels[i].endpoints) / endpoints;
    }
    return shares;
  }
  double left = 1;
  for (size_t i = 0; i < levels.size(); ++i) {
    if (sum >= 1) shares[i].panic = false;
    shares[i].share = std::min(left, sum >= 1 ? takes[i] : takes[i] / sum);
    left -= shares[i].share;
  }
  return shares;
}

}  // namespace sluice
