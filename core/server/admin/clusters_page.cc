#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "core/base/one_line.h"
#include "core/base/strings.h"
#include "core/server/admin/server_pages.h"
#include "core/server/admin/show.h"
#include "core/server/admin/stat_values.h"
#include "core/upstream/cluster.h"

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

struct InUse {
  uint32_t connections = 0;
  uint32_t requests = 0;
};
using EndpointUse = std::map<std::pair<std::string, std::string>, InUse>;

EndpointUse Sum(const WorkerReports& reports) {
  EndpointUse sums;
  for (const auto& report : reports) {
    if (!report) continue;
    for (const WorkerReport::Endpoint& each : report->endpoints) {
      InUse& sum = sums[{each.cluster, each.address}];
      sum.connections += each.connections;
      sum.requests += each.requests;
    }
  }
  return sums;
}

// Why it gets no requests, what weighs most first; or "enabled".
std::string_view StateOf(const Endpoint& endpoint) {
  if (HasFault(endpoint.faults, EndpointFault::kDrained)) return "drained";
  if (HasFault(endpoint.faults, EndpointFault::kFailedCheck)) return "failed";
  if (HasFault(endpoint.faults, EndpointFault::kEjected)) return "ejected";
  return HasFault(endpoint.faults, EndpointFault::kUnchecked) ? "unchecked" : "enabled";
}

// How the last active check ended.
void AddCheck(const Cluster& cluster, const Endpoint& endpoint, Json& row) {
  const std::optional<LastCheck> check = cluster.FindCheck(endpoint.text);
  row["check"] = !check ? Json() : Json(check->success ? "ok" : OneLine(check->reason));
  row["checked_ago"] = check ? Json(AdminDuration(check->ago)) : Json();
}

Json EndpointRow(const std::string& cluster, const Endpoint& endpoint, const EndpointUse& use,
                 const StatValues& stats) {
  const auto found = use.find({cluster, endpoint.text});
  const InUse in_use = found == use.end() ? InUse() : found->second;
  const LabelList labels = {{"cluster", cluster}, {"endpoint", endpoint.text}};
  return {{"address", endpoint.text},
          {"name", endpoint.hostname.empty() ? Json() : Json(endpoint.hostname)},
          {"weight", endpoint.weight},
          {"priority", endpoint.priority},
          {"zone", endpoint.zone.empty() ? Json() : Json(endpoint.zone)},
          {"state", StateOf(endpoint)},
          {"connections", in_use.connections},
          {"requests_active", in_use.requests},
          {"requests_total", stats.Of("sluice_endpoint_requests_total", labels)},
          {"failures_total", stats.Of("sluice_endpoint_failures_total", labels)}};
}

Json ClusterObject(const Cluster& cluster, const EndpointUse& use, const StatValues& stats) {
  const ClusterSettings& settings = cluster.settings();
  const LabelList labels = {{"cluster", settings.name}};
  Json object = {
      {"name", settings.name},
      {"resolved", cluster.resolved()},
      {"balance", NameOf(settings.balance.policy)},
      {"connect_timeout", AdminDuration(settings.connect_timeout)},
      {"pool",
       {{"idle", settings.pool.idle},
        {"idle_timeout", AdminDuration(settings.pool.idle_timeout)},
        {"max_age", AdminDuration(settings.pool.max_age)},
        {"max_requests", settings.pool.max_requests}}},
      {"connections", stats.Of("sluice_upstream_connections_active", labels)},
      {"connections_idle", stats.Of("sluice_upstream_connections_idle", labels)},
      {"requests_active", stats.Of("sluice_upstream_requests_active", labels)},
      {"requests_total", stats.Of("sluice_upstream_requests_total", labels)},
      {"connect_failures_total", stats.Of("sluice_upstream_connect_failures_total", labels)},
      {"endpoints", Json::array()}};
  for (const Endpoint& endpoint : cluster.endpoints()->endpoints) {
    object["endpoints"].push_back(EndpointRow(settings.name, endpoint, use, stats));
    if (cluster.checks_endpoints()) AddCheck(cluster, endpoint, object["endpoints"].back());
  }
  return object;
}

AdminReply Clusters(const AdminRequest& request, AdminSource& source,
                    const WorkerReports& reports) {
  const StatValues stats(source.FreshStats(), {"upstream", "endpoint"});
  const EndpointUse use = Sum(reports);
  const std::string_view only = request.query.Get("name");
  Json clusters = Json::array();
  for (const Cluster* cluster : source.UsedClusters()) {
    if (!only.empty() && cluster->settings().name != only) continue;
    clusters.push_back(ClusterObject(*cluster, use, stats));
  }
  if (!only.empty() && clusters.empty()) {
    return AdminError(404, StrCat({"there is no cluster \"", only, "\""}));
  }
  return AdminShow(request, clusters);
}

}  // namespace

void AddClustersPage(AdminTable& table, AdminSource& source, WorkerSurveys& surveys) {
  table.Add({"/clusters", AdminKind::kPage,
             "clusters and their endpoints: state, what is in flight",
             "?name=CLUSTER, ?format=json", [&](const AdminRequest& request) -> AdminAnswer {
               WorkerQuestion question;
               question.endpoints = true;
               return surveys.New(question, [&request, &source](const WorkerReports& reports) {
                 return Clusters(request, source, reports);
               });
             }});
}

}  // namespace sluice
