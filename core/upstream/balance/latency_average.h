// LatencyAverage: how long an endpoint takes to answer, as one worker sees it: an average over time
// that forgets exponentially. It fades while nothing is measured, so that an endpoint which was
// slow once is tried again. Plain values; of one worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_LATENCY_AVERAGE_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_LATENCY_AVERAGE_H_

#include "core/base/clock.h"

namespace sluice {

class LatencyAverage {
 public:
  // Taken for an endpoint while nothing is known of its cluster: Linkerd's default.
  static constexpr double kUnknown = 30.0 * kMillisecond;

  // Nothing measured nor assumed yet?
  bool empty() const { return value_ == 0; }
  // The last measurement; 0: none yet.
  Nanos measured_at() const { return measured_at_; }

  // To begin with, until the first measurement moves it.
  void Assume(double value, Nanos now) {
    value_ = value;
    at_ = now;
  }
  // Peak EWMA, as Finagle's: what is worse counts at once, what is better only with time: after
  // `decay` it has moved the value by 63%.
  void AddPeak(Nanos latency, Nanos now, Nanos decay);
  // The mean: each measurement moves what has not faded by a part of the way.
  void AddToMean(Nanos latency, Nanos now, Nanos decay);

  // In nanoseconds, faded since the last change.
  double At(Nanos now, Nanos decay) const;

 private:
  void Begin(double latency, Nanos now);

  double value_ = 0;
  Nanos at_ = 0;
  Nanos measured_at_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_LATENCY_AVERAGE_H_
