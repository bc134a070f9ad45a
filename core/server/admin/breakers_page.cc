#include "core/server/admin/breakers_page.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/base/strings.h"
#include "core/http/date.h"
#include "core/server/admin/server_pages.h"
#include "core/server/admin/show.h"

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

double Share(uint32_t part, uint32_t calls) {
  return calls == 0 ? 0 : std::round(1000.0 * part / calls) / 10;
}

Json BreakerObject(const BreakerBoard::Row& row) {
  const BreakerState& state = row.state;
  // That of the last time is over when all calls pass again.
  const bool has_reason =
      state.reason != BreakerReason::kNone && (state.mode != BreakerMode::kClosed || row.left > 0);
  const bool metrics_only = row.breaker->metrics_only();
  return {{"name", row.breaker->name().text},
          {"state", NameOf(state.mode)},
          {"metrics_only", metrics_only},
          {"would_refuse", metrics_only ? Json(row.breaker->would_refuse()) : Json()},
          {"reason", has_reason ? Json(NameOf(state.reason)) : Json()},
          {"left", row.left == 0 ? Json() : Json(AdminDuration(row.left))},
          {"reopened", state.reopened},
          {"calls", row.counts.calls},
          {"failed_percent", Share(row.counts.failures, row.counts.calls)},
          {"slow_percent", Share(row.counts.slow, row.counts.calls)}};
}

AdminReply ShowBreakers(const AdminRequest& request, const BreakerBoard& board) {
  Json json = {{"breakers", Json::array()}, {"transitions", Json::array()}};
  for (const BreakerBoard::Row& row : board.Rows()) json["breakers"].push_back(BreakerObject(row));
  for (auto each = board.transitions().rbegin(); each != board.transitions().rend(); ++each) {
    json["transitions"].push_back(
        {{"time", HttpDate(each->wall / kSecond).view()}, {"what", each->text}});
  }
  return AdminShow(request, json);
}

constexpr std::string_view kMetricsOnly = "metrics_only";

std::optional<BreakerMode> ParseMode(std::string_view text) {
  if (text == "auto" || text == kMetricsOnly) return BreakerMode::kClosed;
  for (const BreakerMode mode : {BreakerMode::kForcedOpen, BreakerMode::kDisabled}) {
    if (text == NameOf(mode)) return mode;
  }
  return std::nullopt;
}

AdminReply SetBreaker(const AdminRequest& request, BreakerBoard& board) {
  for (const std::string_view once : {"name", "state"}) {
    if (request.query.All(once).size() > 1) {
      return AdminError(400, StrCat({once, ": is there more than once"}));
    }
  }
  const std::string_view name = request.query.Get("name");
  const std::string_view state = request.query.Get("state");
  const std::optional<BreakerMode> mode = ParseMode(state);
  if (name.empty()) return AdminError(400, "say which one: ?name=clusters.NAME");
  if (!mode) return AdminError(400, "state: expected forced_open, disabled, metrics_only or auto");
  if (!board.Force(name, *mode, state == kMetricsOnly)) {
    return AdminError(404,
                      StrCat({"there is no breaker \"", name, "\": GET /breakers lists them"}));
  }
  return AdminDone(request, StrCat({name, " is ", state == kMetricsOnly ? state : NameOf(*mode)}));
}

}  // namespace

void AddBreakersPage(AdminTable& table, BreakerBoard& breakers) {
  table.Add({"/breakers", AdminKind::kPage, "circuit breakers: state, why, what happened last",
             "?format=json",
             [&](const AdminRequest& request) { return ShowBreakers(request, breakers); }});
  table.Add({"/breakers", AdminKind::kAction,
             "holds one open, lets all pass and counts or not, or leaves it to itself again",
             "?name=BREAKER, ?state=STATE",
             [&](const AdminRequest& request) { return SetBreaker(request, breakers); }});
}

}  // namespace sluice
