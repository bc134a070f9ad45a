#include "core/upstream/balance/latency_average.h"

#include <algorithm>
#include <cmath>

namespace sluice {
namespace {

// A measurement's part in the mean.
constexpr double kPart = 1.0 / 16;

// e^-x for x >= 0; most are near 0, where the exponential is not worth its price.
double Fading(double x) { return x < 1.0 / 64 ? 1 - x : std::exp(-x); }

}  // namespace

void LatencyAverage::Begin(double latency, Nanos now) {
  value_ = std::max(latency, 1.0);
  at_ = measured_at_ = now;
}

void LatencyAverage::AddPeak(Nanos latency, Nanos now, Nanos decay) {
  const auto sample = static_cast<double>(latency);
  // What was only guessed since nobody knew any better goes.
  if (empty() || (measured_at_ == 0 && value_ == kUnknown) || sample >= value_) {
    return Begin(sample, now);
  }
  const auto passed = static_cast<double>(std::max<Nanos>(now - at_, 0));
  const double kept = Fading(passed / static_cast<double>(decay));
  Begin(value_ * kept + sample * (1 - kept), now);
}

void LatencyAverage::AddToMean(Nanos latency, Nanos now, Nanos decay) {
  const auto sample = static_cast<double>(latency);
  if (empty() || (measured_at_ == 0 && value_ == kUnknown)) return Begin(sample, now);
  const double left = At(now, decay);
  Begin(left + (sample - left) * kPart, now);
}

double LatencyAverage::At(Nanos now, Nanos decay) const {
  // A little of fading changes no choice.
  if (now - at_ < decay / 64) return value_;
  return value_ * Fading(static_cast<double>(now - at_) / static_cast<double>(decay));
}

}  // namespace sluice
