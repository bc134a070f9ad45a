// OutlierMeter: counts the tries of one worker at one endpoint for outlier detection: failures in a
// row at once, in the words that all share; the rest by itself, added to the words now and then.
// Owned by the worker's endpoint; of the worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_METER_H_
#define SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_METER_H_

#include <cstdint>

#include "core/base/clock.h"
#include "core/stats/shared_word.h"
#include "core/upstream/balance/try_outcome.h"
#include "core/upstream/outlier/outlier_counts.h"
#include "core/upstream/outlier/outlier_settings.h"

namespace sluice {

class OutlierMeter {
 public:
  // The main thread knows of what was counted after so many requests, or so long, or a quarter of
  // an interval; what is left when requests cease, with the next one.
  static constexpr uint64_t kMostKept = 64;
  static constexpr Nanos kKeptFor = 100 * kMillisecond;

  // `settings` outlive it. `changes`: OutlierDetector's.
  OutlierMeter(const OutlierSettings& settings, SharedWord changes);

  // Where it counts from here on. REQUIRES: called before anything is counted.
  void SetCounts(const OutlierCounts& counts) { counts_ = counts; }

  // A try was answered after `latency`, or given up for that time.
  void OnLatency(Nanos latency) {
    ++kept_.latencies;
    kept_.latency += static_cast<uint64_t>(latency);
  }
  // A try is over. `status`: of kServerError.
  void OnEnd(TryOutcome outcome, uint16_t status, Nanos now);

 private:
  void Flush(Nanos now);

  const OutlierSettings& settings_;
  SharedWord changes_;
  OutlierCounts counts_;
  OutlierInterval kept_;
  const Nanos keep_for_;
  Nanos flushed_at_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_METER_H_
