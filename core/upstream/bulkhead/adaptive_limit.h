// AdaptiveLimit: how many requests at a time a service bears, found out from how long it takes:
// Gradient2 of Netflix' concurrency-limits, without probes that would hold good traffic back. While
// responses take as long as they usually do, the limit grows by a little; as they take longer, it
// shrinks in proportion.
//
// One per worker and bulkhead. The limit and the usual latency are shared words: all workers feed
// them, and the next process goes on with them. Of the worker's thread but for that.
#ifndef SLUICE_CORE_UPSTREAM_BULKHEAD_ADAPTIVE_LIMIT_H_
#define SLUICE_CORE_UPSTREAM_BULKHEAD_ADAPTIVE_LIMIT_H_

#include <cstdint>

#include "core/base/clock.h"
#include "core/stats/shared_word.h"

namespace sluice {

struct AdaptiveLimitSettings {
  uint32_t begin = 20;  // where there is no limit from before
  uint32_t at_least = 20;
  uint32_t at_most = 200;
  double tolerance = 1.5;  // responses may take so much longer than usual
};

class AdaptiveLimit {
 public:
  // So many samples of a worker are one measurement, their mean: single ones scatter too much.
  static constexpr uint32_t kSamples = 10;
  // The usual latency is the exponential average over so many samples.
  static constexpr uint32_t kLongSamples = 600;

  AdaptiveLimit(const AdaptiveLimitSettings& settings, SharedWords words)
      : settings_(settings), words_(words) {}

  // Forgets what was found out with other settings: the limit begins anew. When the worker begins
  // to use them: a configuration that was only made may be refused yet.
  void Adopt();

  // Between at_least and at_most.
  uint32_t limit() const;
  // By what this worker's last measurement multiplied the limit, from 0.5 to 1.
  double gradient() const { return gradient_; }
  // A response took so long, and there were `in_flight` requests. Says whether that made the limit
  // anew. REQUIRES: latency >= 0.
  bool OnSample(Nanos latency, uint64_t in_flight);

 private:
  enum Word : uint8_t { kLimit, kLongLatency, kMeasurements, kSettings };

  double Clamp(double limit) const;
  // Takes it into the usual latency, and returns that.
  double AddToLong(double latency);
  void UpdateLimit(double gradient, bool may_grow);

  const AdaptiveLimitSettings settings_;
  SharedWords words_;
  // Of the measurement under way.
  uint32_t samples_ = 0;
  Nanos sum_ = 0;
  uint64_t most_in_flight_ = 0;
  double gradient_ = 1;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BULKHEAD_ADAPTIVE_LIMIT_H_
