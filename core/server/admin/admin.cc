#include "core/server/admin/admin.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/base/strings.h"
#include "core/event/loop.h"
#include "core/server/admin/admin_page.h"
#include "core/server/admin/query.h"
#include "core/server/version.h"

namespace sluice {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kPlain = "text/plain; charset=utf-8";

struct Place {
  std::string_view path;
  std::string_view about;
};
constexpr Place kPlaces[] = {
    {"/", "this page"},
    {"/ready", "200 LIVE, or 503 while starting or draining"},
    {"/live", "200 while the process runs"},
    {"/metrics", "all metrics for Prometheus; ?name[]=FAMILY, ?used"},
    {"/stats", "all metrics for people; ?filter=REGEX, ?format=json, ?used"},
};

class Admin final : public LastFilter {
 public:
  Admin(AdminSource& source, Responder& responder)
      : source_(source),
        responder_(responder),
        slice_task_(Callback::To<&Admin::SendSlice>(this)) {}

  void OnRequestHeaders(RequestHead& head, bool end) override;
  void OnRequestBody(Buffer& data, bool, Headers*) override { data.Clear(); }
  void OnResponseWanted() override {
    if (page_ != nullptr) responder_.stream_loop().DeferToNextTurn(slice_task_);
  }
  void OnAbandoned() override {
    slice_task_.Cancel();
    page_.reset();
  }

 private:
  void SendIndex(bool json);
  void SendReady();
  void SendPage(std::unique_ptr<AdminPage> page);
  void SendSlice();
  void SendError(uint16_t status, std::string_view error, std::string_view allow = {});
  void Reply(uint16_t status, std::string body, std::string_view type);

  AdminSource& source_;
  Responder& responder_;
  Task slice_task_;
  std::unique_ptr<AdminPage> page_;
};

void Admin::OnRequestHeaders(RequestHead& head, bool) {
  if (head.method() != Method::kGet && head.method() != Method::kHead) {
    return SendError(405, "only GET and HEAD", "GET, HEAD");
  }
  const std::string_view path = head.path_only();
  const std::string_view accept = head.headers.Get(HeaderId::kAccept).value_or("");
  const Query query(head.query());
  if (path == "/") {
    return SendIndex(query.Get("format") == "json" ||
                     accept.find("application/json") != std::string_view::npos);
  }
  if (path == "/ready") return SendReady();
  if (path == "/live") return Reply(200, "LIVE\n", kPlain);
  if (path == "/metrics") return SendPage(NewMetricsPage(source_.FreshStats(), query, accept));
  if (path == "/stats") {
    Result<std::unique_ptr<AdminPage>> page = NewStatsPage(source_.FreshStats(), query);
    if (!page) return SendError(400, page.error().detail);
    return SendPage(std::move(*page));
  }
  SendError(404, StrCat({"there is nothing at ", path, "; GET / lists what there is"}));
}

void Admin::SendIndex(bool as_json) {
  const ServerSummary summary = source_.Summary();
  const auto uptime = static_cast<uint64_t>(summary.uptime / kSecond);
  if (as_json) {
    nlohmann::json json = {{"name", "sluice"},
                           {"version", kVersion},
                           {"id", summary.id},
                           {"state", ServerStateName(summary.state)},
                           {"uptime_seconds", uptime},
                           {"workers", summary.workers},
                           {"listeners", nlohmann::json::array()},
                           {"endpoints", nlohmann::json::array()}};
    if (!summary.config_file.empty()) {
      json["config"] = {{"file", summary.config_file}, {"version", summary.config_version}};
    }
    for (const auto& listener : summary.listeners) {
      json["listeners"].push_back({{"name", listener.name}, {"address", listener.address}});
    }
    for (const Place& place : kPlaces) {
      json["endpoints"].push_back({{"path", place.path}, {"about", place.about}});
    }
    const auto replace = nlohmann::json::error_handler_t::replace;
    return Reply(200, json.dump(2, ' ', false, replace) + "\n", kJson);
  }
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
  for (const Place& place : kPlaces) {
    text +=
        StrCat({"GET ", place.path, std::string(10 - place.path.size(), ' '), place.about, "\n"});
  }
  Reply(200, std::move(text), kPlain);
}

void Admin::SendReady() {
  const ServerState state = source_.state();
  Reply(state == ServerState::kLive ? 200 : 503, StrCat({ServerStateName(state), "\n"}), kPlain);
}

void Admin::SendPage(std::unique_ptr<AdminPage> page) {
  ResponseHead& head = responder_.response_head();
  head.status = 200;
  head.headers.Set(HeaderId::kContentType, page->content_type());
  head.headers.AddView(HeaderId::kCacheControl, "no-store");
  if (responder_.request_head().method() == Method::kHead) return responder_.StartResponse(true);
  page_ = std::move(page);
  responder_.StartResponse(false);
  if (responder_.response_wanted()) OnResponseWanted();
}

void Admin::SendSlice() {
  if (page_ == nullptr || !responder_.response_wanted()) return;
  std::string slice;
  const bool more = page_->RenderSome(slice);
  if (!more) page_.reset();
  if (more && slice.empty()) return OnResponseWanted();
  responder_.SendBody(Buffer(slice), !more, nullptr);
  if (more && responder_.response_wanted()) OnResponseWanted();
}

void Admin::SendError(uint16_t status, std::string_view error, std::string_view allow) {
  const nlohmann::json json = {{"error", error}};
  LocalReply reply;
  reply.status = status;
  reply.body = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  reply.content_type = kJson;
  reply.details = "admin";
  if (!allow.empty()) reply.headers.emplace_back("allow", allow);
  reply.unmapped = true;
  responder_.Reply(std::move(reply));
}

void Admin::Reply(uint16_t status, std::string body, std::string_view type) {
  LocalReply reply;
  reply.status = status;
  reply.body = std::move(body);
  reply.content_type = type;
  reply.details = "admin";
  reply.headers.emplace_back("cache-control", "no-store");
  reply.unmapped = true;
  responder_.Reply(std::move(reply));
}

}  // namespace

ArenaPtr<LastFilter> AdminFactory::Create(Responder& responder) {
  return ArenaPtr<LastFilter>(responder.stream_arena().Make<Admin>(source_, responder).release());
}

}  // namespace sluice
