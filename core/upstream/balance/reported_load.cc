#include "core/upstream/balance/reported_load.h"

#include <algorithm>

namespace sluice {

void ReportedLoad::Add(const LoadReport& report, Nanos now, const UtilizationSettings& settings) {
  const double utilization = report.utilization();
  if (report.rps <= 0 || utilization <= 0) return;
  if (first_ == 0 || now - last_ >= settings.expiry) first_ = now;
  last_ = now;
  // Between what no endpoint is below or beyond, whatever it says: their sums stay numbers.
  const double errors = std::min(report.eps / report.rps, 1e6) * settings.error_penalty;
  weight_ = std::clamp(report.rps / (utilization + errors), 1e-9, 1e12);
}

double ReportedLoad::WeightAt(Nanos now, const UtilizationSettings& settings) const {
  if (first_ == 0 || now - last_ >= settings.expiry) return 0;
  return now - first_ < settings.blackout ? 0 : weight_;
}

}  // namespace sluice
