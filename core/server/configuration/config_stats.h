// The metrics of what is applied. Of the main thread.
#ifndef SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_STATS_H_
#define SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_STATS_H_

#include "core/server/configuration/config_change.h"
#include "core/stats/scope.h"

namespace sluice {

struct ConfigStats {
  static constexpr std::string_view kResults[] = {"applied", "unchanged", "refused"};

  Counter reloads[kConfigSources][3];  // [source][result]
  Gauge version;
  Gauge hash;
  Gauge time;
  Gauge from_file;
  Gauge last_good;
  Counter history_failures;
  Counter rollbacks[kConfigSources];

  void Describe(MetricTable& table) {
    for (size_t source = 0; source < kConfigSources; ++source) {
      for (size_t result = 0; result < 3; ++result) {
        table.Add(reloads[source][result],
                  {"sluice_server_reloads_total",
                   "Configurations that were to replace the one in use, by who brought them and "
                   "what became of them."},
                  {{"source", ConfigSourceName(static_cast<ConfigSource>(source))},
                   {"result", kResults[result]}});
      }
      table.Add(rollbacks[source],
                {"sluice_server_config_rollbacks_total",
                 "Times a version of the history came into use again, by who wanted it."},
                {{"source", ConfigSourceName(static_cast<ConfigSource>(source))}});
    }
    table.Add(version, {"sluice_server_config_version",
                        "The version, in the history, of the configuration in use.",
                        MetricUnit::kNone, GaugeOf::kLatestProcess});
    table.Add(hash, {"sluice_server_config_hash",
                     "The first 48 bits of its SHA-256: alike where the same is in use.",
                     MetricUnit::kNone, GaugeOf::kLatestProcess});
    table.Add(time, {"sluice_server_config_time_seconds", "When it was applied, since the epoch.",
                     MetricUnit::kNone, GaugeOf::kLatestProcess});
    table.Add(from_file,
              {"sluice_server_config_from_file",
               "0 while what is in use was posted or rolled back to, and not the file's.",
               MetricUnit::kNone, GaugeOf::kLatestProcess});
    table.Add(last_good, {"sluice_server_config_last_good",
                          "1 while what is in use is the last good one, since the file was bad.",
                          MetricUnit::kNone, GaugeOf::kLatestProcess});
    table.Add(history_failures, {"sluice_server_config_history_failures_total",
                                 "Configurations that could not be kept in the history."});
  }
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_STATS_H_
