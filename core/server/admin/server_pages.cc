#include "core/server/admin/server_pages.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "core/base/strings.h"
#include "core/server/admin/show.h"
#include "core/server/admin/stat_values.h"
#include "core/server/version.h"

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

Json Pid(int64_t pid) { return pid == 0 ? Json() : Json(pid); }

Json Workers(const WorkerReports& reports) {
  Json workers = Json::array();
  for (size_t i = 0; i < reports.size(); ++i) {
    Json worker = {{"worker", i}, {"answers", reports[i].has_value()}};
    if (reports[i]) {
      worker["connections"] = reports[i]->open_connections;
      worker["load"] = std::round(reports[i]->load * 1000) / 1000;
      worker["loop_lag_seconds"] = static_cast<double>(reports[i]->lag / kMicrosecond) / 1e6;
    }
    workers.push_back(std::move(worker));
  }
  return workers;
}

AdminReply Server(const AdminRequest& request, AdminSource& source, const WorkerReports& workers) {
  const StatValues stats(source.FreshStats(), {"process"});
  const ServerReport report = source.Report();
  const ServerSummary& summary = report.summary;
  Json json = {
      {"version", kVersion},
      {"compiler", __VERSION__},
      {"id", summary.id},
      {"pid", getpid()},
      {"state", ServerStateName(summary.state)},
      {"out_of_service", report.out},
      {"started_seconds", report.started},
      {"uptime_seconds", summary.uptime / kSecond},
      {"config",
       {{"file", summary.config_file},
        {"version", summary.config_version},
        {"hash", report.config_hash}}},
      {"restart",
       {{"predecessor_draining", Pid(report.predecessor)},
        {"successor", Pid(report.successor)},
        {"handed_over", report.handed_over}}},
      {"limits",
       {{"connections", report.connections_limit},
        {"connections_open", report.connections},
        {"fds", stats.Of("sluice_process_max_fds")},
        {"fds_open", stats.Of("sluice_process_open_fds")},
        {"drain_timeout_seconds", report.drain_timeout / kSecond}}},
      {"workers", Workers(workers)},
  };
  return AdminShow(request, json);
}

AdminReply Listeners(const AdminRequest& request, AdminSource& source) {
  const StatValues stats(source.FreshStats(), {"downstream"});
  Json listeners = Json::array();
  for (const ListenerReport& listener : source.Listeners()) {
    const LabelList labels = {{"listener", listener.name}};
    listeners.push_back({{"name", listener.name},
                         {"address", listener.address},
                         {"accepting", listener.accepting},
                         {"sockets", listener.sockets},
                         {"connections", stats.Of("sluice_downstream_connections_active", labels)},
                         {"connections_limit", listener.connections_limit},
                         {"requests_active", stats.Of("sluice_downstream_requests_active", labels)},
                         {"requests_total", stats.Of("sluice_downstream_requests_total", labels)},
                         {"filters", listener.filters}});
  }
  return AdminShow(request, listeners);
}

}  // namespace

std::string AdminDuration(Nanos time) {
  const auto millis = static_cast<uint64_t>(time / kMillisecond);
  if (millis % 1000 != 0) return StrCat({Decimal(millis), "ms"});
  const uint64_t seconds = millis / 1000;
  if (seconds < 60 || seconds % 60 != 0) return StrCat({Decimal(seconds), "s"});
  return StrCat({Decimal(seconds / 60), "m"});
}

void AddServerPages(AdminTable& table, AdminSource& source, WorkerSurveys& surveys) {
  table.Add({"/server", AdminKind::kPage, "the process: state, limits, workers, restarts",
             "?format=json", [&](const AdminRequest& request) -> AdminAnswer {
               return surveys.New({}, [&](const WorkerReports& reports) {
                 return Server(request, source, reports);
               });
             }});
  table.Add({"/listeners", AdminKind::kPage, "listeners: address, filters, connections",
             "?format=json",
             [&](const AdminRequest& request) { return Listeners(request, source); }});
  AddClustersPage(table, source, surveys);
  AddWorkerPages(table, source, surveys);
}

}  // namespace sluice
