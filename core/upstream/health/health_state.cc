#include "core/upstream/health/health_state.h"

namespace sluice {

bool HealthState::Take(bool success) {
  const HealthVerdict result = success ? HealthVerdict::kHealthy : HealthVerdict::kUnhealthy;
  const bool first = in_a_row_ == 0;
  if (result != last_) in_a_row_ = 0;
  last_ = result;
  if (in_a_row_ < UINT32_MAX) ++in_a_row_;
  const uint32_t needed = success ? settings_.healthy_threshold : settings_.unhealthy_threshold;
  if (result == verdict_ || (!first && in_a_row_ < needed)) return false;
  verdict_ = result;
  return true;
}

void HealthState::BeginAgain() {
  in_a_row_ = 0;
  last_ = HealthVerdict::kUnknown;
}

Nanos HealthState::NextWait(Random& random) const {
  Nanos wait = settings_.interval;
  if (last_ != verdict_) {
    wait = settings_.fast_interval;
  } else if (verdict_ != HealthVerdict::kHealthy) {
    wait = settings_.down_interval;
  }
  const double factor = 1 + settings_.jitter * (2 * random.Fraction() - 1);
  return static_cast<Nanos>(static_cast<double>(wait) * factor);
}

}  // namespace sluice
