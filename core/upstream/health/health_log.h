// HealthLog: the subscriber that tells people: a line for each change, and counters. Of one that
// changes too often some are left out, and how it is in the end is said at its first check after
// that.
#ifndef SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_LOG_H_
#define SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_LOG_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/base/clock.h"
#include "core/upstream/health/health_event.h"
#include "core/upstream/health/health_stats.h"

namespace sluice {

class HealthLog {
 public:
  // Of an endpoint, in so much time from the first one on; what changes more often is only counted.
  static constexpr uint32_t kMostLines = 20;
  static constexpr Nanos kWindow = 60 * kSecond;

  // `stats` outlives it.
  HealthLog(std::string cluster, HealthStats& stats)
      : cluster_(std::move(cluster)), stats_(&stats) {}

  // An endpoint that is well at its first check is counted, but no news.
  void operator()(const HealthEvent& event);

 private:
  struct Lines {
    Nanos begin;
    uint32_t written = 0;
    uint32_t left_out = 0;
  };

  // False: enough was written of the endpoint lately. Says in `message` what was not.
  bool TakeLine(const HealthEvent& event, std::string& message);
  // Says how an endpoint is that did not change now, if its last change was left out.
  void TellLeftOut(const HealthEvent& event);
  static std::string LeftOut(const Lines& lines);
  void ForgetOld(Nanos now);

  std::string cluster_;
  HealthStats* stats_;
  std::unordered_map<std::string, Lines> lines_;  // by endpoint, of those that changed lately
  Nanos next_look_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_LOG_H_
