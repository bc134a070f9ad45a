#include "core/upstream/cluster_limits.h"

#include <string>

#include "core/config/cluster.pb.h"
#include "core/stats/directory.h"

namespace sluice {
namespace {

constexpr std::string_view kNames[kClusterLimits] = {"connections", "connections_per_endpoint",
                                                     "pending", "requests", "retries"};

// What is not written is as for all others.
uint32_t Either(uint32_t own, uint32_t others) { return own > 0 ? own : others; }

}  // namespace

std::string_view NameOf(ClusterLimit limit) { return kNames[static_cast<size_t>(limit)]; }

ClusterLimits ReadLimits(const config::ClusterLimits* config, std::string_view cluster,
                         StatsDirectory& stats) {
  ClusterLimits limits;
  if (config != nullptr) {
    limits.normal = {config->connections(), config->pending(), config->requests(),
                     config->retries()};
    const config::PriorityLimits& high = config->high();
    limits.high = {Either(high.connections(), config->connections()),
                   Either(high.pending(), config->pending()),
                   Either(high.requests(), config->requests()),
                   Either(high.retries(), config->retries())};
    limits.connections_per_endpoint = config->connections_per_endpoint();
  }
  const auto used = [&stats, cluster](ClusterLimit limit) {
    return stats.SharedGauge({"sluice_upstream_limit_used", "What counts against a limit."},
                             {{"cluster", cluster}, {"limit", NameOf(limit)}});
  };
  limits.connections = used(ClusterLimit::kConnections);
  limits.pending = used(ClusterLimit::kPending);
  limits.requests = used(ClusterLimit::kRequests);
  limits.retries = used(ClusterLimit::kRetries);
  for (size_t i = 0; i < kConnectionLimits; ++i) {
    limits.starving[i] = stats.SharedGauge(
        {"sluice_upstream_connections_wanting",
         "Workers on which requests wait since that limit of connections is reached."},
        {{"cluster", cluster}, {"limit", kNames[i]}});
  }
  return limits;
}

}  // namespace sluice
