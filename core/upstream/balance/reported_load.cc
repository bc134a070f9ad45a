#include "core/upstream/balance/reported_load.h"

namespace sluice {

void ReportedLoad::Add(const LoadReport& report, Nanos now, const UtilizationSettings& settings) {
  const double utilization = report.utilization();
  if (report.rps <= 0 || utilization <= 0) return;
  if (first_ == 0 || now - last_ >= settings.expiry) first_ = now;
  last_ = now;
  weight_ = report.rps / (utilization + report.eps / report.rps * settings.error_penalty);
}

double ReportedLoad::WeightAt(Nanos now, const UtilizationSettings& settings) const {
  if (first_ == 0 || now - last_ >= settings.expiry) return 0;
  return now - first_ < settings.blackout ? 0 : weight_;
}

}  // namespace sluice
