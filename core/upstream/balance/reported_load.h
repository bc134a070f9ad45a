// ReportedLoad: the weight that follows from an endpoint's own reports, after gRPC's A58: the rate
// of requests that it could take if it were fully used. Of one worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_REPORTED_LOAD_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_REPORTED_LOAD_H_

#include "core/base/clock.h"
#include "core/upstream/balance/load_report.h"

namespace sluice {

struct UtilizationSettings {
  Nanos blackout = 10 * kSecond;  // how long the first reports are not believed
  Nanos expiry = 180 * kSecond;   // how long the last one is
  double error_penalty = 1;       // how much a share of errors counts as utilization
};

class ReportedLoad {
 public:
  // Reports that come sooner after another are not worth reading.
  static constexpr Nanos kReadEvery = 100 * kMillisecond;

  bool Wants(Nanos now) const { return last_ == 0 || now - last_ >= kReadEvery; }
  // One that says nothing of requests or utilization is passed over.
  void Add(const LoadReport& report, Nanos now, const UtilizationSettings& settings);
  // 0: nothing to go by: no report yet, too few, or too long ago.
  double WeightAt(Nanos now, const UtilizationSettings& settings) const;

 private:
  double weight_ = 0;
  Nanos first_ = 0;  // of those that came without a pause of `expiry`; 0: none
  Nanos last_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_REPORTED_LOAD_H_
