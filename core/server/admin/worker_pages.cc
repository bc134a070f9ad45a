#include <malloc.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/block.h"
#include "core/base/strings.h"
#include "core/proxy/stream_memory.h"
#include "core/server/admin/server_pages.h"
#include "core/server/admin/show.h"
#include "core/server/admin/stat_values.h"

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostConnections = 1000;

std::optional<ConnectionOrder> ParseOrder(std::string_view text) {
  if (text.empty() || text == "bytes") return ConnectionOrder::kBytes;
  if (text == "requests") return ConnectionOrder::kRequests;
  if (text == "age") return ConnectionOrder::kAge;
  return std::nullopt;
}

// Those that did not answer.
void AddMissing(const WorkerReports& reports, Json& json) {
  for (size_t i = 0; i < reports.size(); ++i) {
    if (!reports[i]) json["silent_workers"].push_back(i);
  }
}

AdminReply Connections(const AdminRequest& request, const WorkerQuestion& question,
                       const WorkerReports& reports) {
  std::vector<std::pair<size_t, const WorkerReport::Connection*>> all;
  size_t open = 0;
  for (size_t i = 0; i < reports.size(); ++i) {
    if (!reports[i]) continue;
    open += reports[i]->open_connections;
    for (const WorkerReport::Connection& each : reports[i]->connections) all.emplace_back(i, &each);
  }
  std::sort(all.begin(), all.end(), [&question](const auto& a, const auto& b) {
    return ComesBefore(question.order, *a.second, *b.second);
  });
  if (all.size() > question.connections) all.resize(question.connections);
  Json json = {{"open", open}};
  AddMissing(reports, json);
  json["connections"] = Json::array();
  for (const auto& [worker, each] : all) {
    json["connections"].push_back({{"remote", each->remote},
                                   {"listener", each->listener},
                                   {"worker", worker},
                                   {"id", each->id},
                                   {"age_seconds", each->age / kSecond},
                                   {"requests", each->requests},
                                   {"received_bytes", each->received},
                                   {"sent_bytes", each->sent},
                                   {"idle", each->idle}});
  }
  return AdminShow(request, json);
}

AdminAnswer AskConnections(const AdminRequest& request, WorkerSurveys& surveys) {
  const auto order = ParseOrder(request.query.Get("sort"));
  if (!order) return AdminError(400, "sort: expected bytes, requests or age");
  const std::optional<uint64_t> limit =
      request.query.Has("limit") ? ParseDecimal(request.query.Get("limit")) : 20;
  if (!limit || *limit == 0 || *limit > kMostConnections) {
    return AdminError(400,
                      StrCat({"limit: expected a number from 1 to ", Decimal(kMostConnections)}));
  }
  WorkerQuestion question;
  question.connections = static_cast<size_t>(*limit);
  question.order = *order;
  return surveys.New(question, [&request, question](const WorkerReports& reports) {
    return Connections(request, question, reports);
  });
}

AdminReply Memory(const AdminRequest& request, AdminSource& source, const WorkerReports& reports) {
  const struct mallinfo2 heap = mallinfo2();
  const StatsMemoryUse segment = source.StatsMemory();
  const StatValues stats(source.FreshStats(), {"process"});
  Json json = {{"resident_bytes", stats.Of("sluice_process_resident_memory_bytes")},
               {"heap",
                {{"from_system_bytes", heap.arena + heap.hblkhd},
                 {"in_use_bytes", heap.uordblks + heap.hblkhd},
                 {"free_bytes", heap.fordblks},
                 {"mapped_bytes", heap.hblkhd}}},
               {"stats",
                {{"path", segment.path.empty() ? Json() : Json(segment.path)},
                 {"size_bytes", segment.use.size},
                 {"rows_bytes", segment.use.taken},
                 {"series", segment.use.series},
                 {"series_limit", segment.use.series_limit}}}};
  AddMissing(reports, json);
  Json threads = Json::array();
  threads.push_back({{"thread", "main"},
                     {"connections", Json()},
                     {"free_buffers_bytes", Block::PooledBytes()},
                     {"free_streams_bytes", PooledStreamBytes()}});
  for (size_t i = 0; i < reports.size(); ++i) {
    if (!reports[i]) continue;
    threads.push_back({{"thread", StrCat({"worker ", Decimal(i)})},
                       {"connections", reports[i]->open_connections},
                       {"free_buffers_bytes", reports[i]->free_blocks},
                       {"free_streams_bytes", reports[i]->free_streams}});
  }
  json["threads"] = std::move(threads);
  return AdminShow(request, json);
}

}  // namespace

void AddWorkerPages(AdminTable& table, AdminSource& source, WorkerSurveys& surveys) {
  table.Add({"/connections", AdminKind::kPage, "clients, sorted by bytes, requests or age",
             "?sort=ORDER, ?limit=20, ?format=json",
             [&](const AdminRequest& request) { return AskConnections(request, surveys); }});
  table.Add({"/memory", AdminKind::kPage, "memory: the process, its heap, free lists, metrics",
             "?format=json", [&](const AdminRequest& request) -> AdminAnswer {
               return surveys.New({}, [&](const WorkerReports& reports) {
                 return Memory(request, source, reports);
               });
             }});
}

}  // namespace sluice
