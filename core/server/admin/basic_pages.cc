#include "core/server/admin/basic_pages.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "core/base/strings.h"
#include "core/server/admin/admin_page.h"
#include "core/server/version.h"

namespace sluice {
namespace {

std::string_view MethodOf(AdminKind kind) { return kind == AdminKind::kPage ? "GET" : "POST"; }

AdminReply IndexAsJson(const ServerSummary& summary, uint64_t uptime, const AdminTable& table) {
  nlohmann::json json = {{"name", "sluice"},
                         {"version", kVersion},
                         {"id", summary.id},
                         {"state", ServerStateName(summary.state)},
                         {"uptime_seconds", uptime},
                         {"workers", summary.workers},
                         {"loop_lag_p99_seconds", summary.loop_lag_p99},
                         {"listeners", nlohmann::json::array()},
                         {"endpoints", nlohmann::json::array()}};
  if (!summary.config_file.empty()) {
    json["config"] = {{"file", summary.config_file}, {"version", summary.config_version}};
  }
  for (const auto& listener : summary.listeners) {
    json["listeners"].push_back({{"name", listener.name}, {"address", listener.address}});
  }
  for (const AdminRow& row : table.rows()) {
    json["endpoints"].push_back({{"path", row.path},
                                 {"method", MethodOf(row.kind)},
                                 {"about", row.about},
                                 {"parameters", row.parameters}});
  }
  return AdminJson(json);
}

AdminReply Index(const AdminRequest& request, const ServerSummary& summary,
                 const AdminTable& table) {
  const auto uptime = static_cast<uint64_t>(summary.uptime / kSecond);
  if (request.wants_json()) return IndexAsJson(summary, uptime, table);
  std::string text = StrCat({"sluice ", kVersion, ", ", summary.id, "\n\nstate     ",
                             ServerStateName(summary.state), "\nuptime    ", Decimal(uptime),
                             "s\nworkers   ", Decimal(summary.workers), "\n"});
  if (!summary.config_file.empty()) {
    text += StrCat({"config    ", summary.config_file, "\n"});
  }
  for (const auto& listener : summary.listeners) {
    text += StrCat({"listener  ", listener.name, " on ", listener.address, "\n"});
  }
  text += "\n";
  size_t widest = 0;
  for (const AdminRow& row : table.rows()) widest = std::max(widest, row.path.size());
  for (const AdminRow& row : table.rows()) {
    text += StrCat({MethodOf(row.kind), row.kind == AdminKind::kPage ? "  " : " ", row.path,
                    std::string(widest + 2 - row.path.size(), ' '), row.about,
                    row.parameters.empty() ? "" : "; ", row.parameters, "\n"});
  }
  AdminReply reply;
  reply.body = std::move(text);
  return reply;
}

// "/endpoints/drain" as "endpoints drain", "?cluster=NAME, ?sort=a|b" as "cluster=NAME sort=a|b".
std::string CommandOf(const AdminRow& row) {
  std::string command;
  for (const char c : row.path.substr(1)) command += c == '/' ? ' ' : c;
  ForEachListElement(row.parameters, [&command](std::string_view parameter) {
    parameter.remove_prefix(1);
    const bool flag = parameter.find('=') == std::string_view::npos;
    command += StrCat({" ", parameter, flag ? "=" : ""});
    return true;
  });
  return command;
}

AdminReply Help(const AdminTable& table) {
  std::string text;
  for (const AdminRow& row : table.rows()) {
    if (row.path == "/") continue;
    const std::string command = CommandOf(row);
    text += StrCat({command, std::string(command.size() < 40 ? 40 - command.size() : 0, ' '), "  ",
                    row.about, "\n"});
  }
  AdminReply reply;
  reply.body = std::move(text);
  return reply;
}

AdminReply Ready(ServerState state) {
  AdminReply reply;
  reply.status = state == ServerState::kLive ? 200 : 503;
  reply.body = StrCat({ServerStateName(state), "\n"});
  return reply;
}

AdminReply Live() {
  AdminReply reply;
  reply.body = "LIVE\n";
  return reply;
}

}  // namespace

void AddBasicPages(AdminTable& table, AdminSource& source) {
  const auto page = [&table](std::string_view path, std::string_view about,
                             std::string_view parameters, AdminHandler handler, bool open = false) {
    table.Add({path, AdminKind::kPage, about, parameters, std::move(handler), open});
  };
  page("/", "what runs, and this list", "?format=json",
       [&](const AdminRequest& request) { return Index(request, source.Summary(), table); });
  page("/help", "the same as commands for the unix socket", "",
       [&](const AdminRequest&) { return Help(table); });
  page(
      "/ready", "200 LIVE; 503 while starting or draining", "",
      [&](const AdminRequest&) { return Ready(source.state()); }, true);
  page(
      "/live", "200 while the process runs", "", [](const AdminRequest&) { return Live(); }, true);
  page("/metrics", "all metrics for Prometheus", "?name[]=FAMILY, ?used",
       [&](const AdminRequest& request) {
         return NewMetricsPage(source.FreshStats(), request.query, request.accept);
       });
  page("/stats", "all metrics for people", "?filter=REGEX, ?format=json, ?used",
       [&](const AdminRequest& request) -> AdminAnswer {
         Result<std::unique_ptr<AdminPage>> stats =
             NewStatsPage(source.FreshStats(), request.query, request.wants_json());
         if (!stats) return AdminError(stats.error());
         return std::move(*stats);
       });
}

}  // namespace sluice
