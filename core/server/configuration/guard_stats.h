// The metrics of the ConfigGuard. Of the main thread.
#ifndef SLUICE_CORE_SERVER_CONFIGURATION_GUARD_STATS_H_
#define SLUICE_CORE_SERVER_CONFIGURATION_GUARD_STATS_H_

#include <cstddef>
#include <string_view>

#include "core/stats/scope.h"

namespace sluice {

struct GuardStats {
  enum Result : size_t { kStood, kWentBack, kFailed, kReplaced };
  static constexpr std::string_view kResults[] = {"stood", "rolled_back", "failed", "replaced"};

  Counter windows[4];
  Gauge open;

  void Describe(MetricTable& table) {
    for (size_t result = 0; result < 4; ++result) {
      table.Add(windows[result],
                {"sluice_server_config_guard_windows_total",
                 "Windows in which a new configuration was guarded, by what came of them; failed: "
                 "it was worse, but what was before could not be used."},
                {{"result", kResults[result]}});
    }
    table.Add(open, {"sluice_server_config_guard_open", "1 while a new configuration is guarded.",
                     MetricUnit::kNone, GaugeOf::kLatestProcess});
  }
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONFIGURATION_GUARD_STATS_H_
