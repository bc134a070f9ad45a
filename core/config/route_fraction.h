// RouteFraction: a share of requests, drawn at random. A value.
#ifndef SLUICE_CORE_CONFIG_ROUTE_FRACTION_H_
#define SLUICE_CORE_CONFIG_ROUTE_FRACTION_H_

#include <cmath>
#include <cstdint>

#include "core/base/random.h"

namespace sluice {

class RouteFraction {
 public:
  RouteFraction() = default;  // all of them
  explicit RouteFraction(double percent)
      : all_(percent >= 100), below_(all_ || !(percent > 0) ? 0 : Threshold(percent)) {}

  // Is this request in it? Shares of 0 and 100% draw nothing.
  bool Draw(Random& random) const { return all_ || (below_ != 0 && random.Next() < below_); }
  bool all() const { return all_; }

 private:
  static uint64_t Threshold(double percent) {
    return static_cast<uint64_t>(std::ldexp(percent / 100, 64));
  }

  bool all_ = true;
  uint64_t below_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_FRACTION_H_
