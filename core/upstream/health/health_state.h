// HealthState: what an endpoint is taken for by the results of its checks, and when the next one is
// due. Time and chance come from outside.
#ifndef SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_STATE_H_
#define SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_STATE_H_

#include <cstdint>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/upstream/health/health_settings.h"

namespace sluice {

enum class HealthVerdict : uint8_t { kUnknown, kHealthy, kUnhealthy };

class HealthState {
 public:
  // `before`: what it was taken for by another process or configuration; that holds until the first
  // result, which decides. `settings` outlive this.
  HealthState(const HealthSettings& settings, HealthVerdict before)
      : settings_(settings), verdict_(before) {}

  // Takes a result; says whether the verdict changed.
  bool Take(bool success);
  // The next result decides, as the first did: there was none for a while.
  void BeginAgain();

  HealthVerdict verdict() const { return verdict_; }
  // How many results in a row were as the last.
  uint32_t in_a_row() const { return in_a_row_; }
  // From the end of a check to the begin of the next.
  Nanos NextWait(Random& random) const;

 private:
  const HealthSettings& settings_;
  HealthVerdict verdict_;
  HealthVerdict last_ = HealthVerdict::kUnknown;  // what the last result alone says
  uint32_t in_a_row_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_STATE_H_
