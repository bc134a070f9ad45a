#include "core/upstream/health/health_log.h"

#include <utility>

#include "core/base/log.h"
#include "core/base/one_line.h"
#include "core/base/strings.h"

namespace sluice {

HealthSubscriber HealthLog(std::string cluster, HealthStats& stats) {
  return [cluster = std::move(cluster), &stats](const HealthEvent& event) {
    if (!event.changed) return;
    (event.healthy ? stats.to_healthy : stats.to_unhealthy).Inc();
    const std::string who = StrCat({"clusters.", cluster, " ", event.endpoint});
    const std::string count = StrCat({" (", Decimal(event.in_a_row), " in a row)"});
    if (!event.healthy) {
      Log(LogLevel::kWarning, "health",
          StrCat({who, " is unhealthy: ", OneLine(std::string(event.reason)), count}));
    } else if (!event.first) {
      Log(LogLevel::kInfo, "health", StrCat({who, " is healthy", count}));
    }
  };
}

}  // namespace sluice
