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
  return {{"name", row.breaker->name().text},
          {"state", NameOf(state.mode)},
          {"reason", state.reason == BreakerReason::kNone ? Json() : Json(NameOf(state.reason))},
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

std::optional<BreakerMode> ParseMode(std::string_view text) {
  if (text == "auto") return BreakerMode::kClosed;
  for (const BreakerMode mode : {BreakerMode::kForcedOpen, BreakerMode::kDisabled}) {
    if (text == NameOf(mode)) return mode;
  }
  return std::nullopt;
}

AdminReply SetBreaker(const AdminRequest& request, BreakerBoard& board) {
  const std::string_view name = request.query.Get("name");
  const std::optional<BreakerMode> mode = ParseMode(request.query.Get("state"));
  if (name.empty()) return AdminError(400, "say which one: ?name=clusters.NAME");
  if (!mode) return AdminError(400, "state: expected forced_open, disabled or auto");
  if (!board.Force(name, *mode)) {
    return AdminError(404,
                      StrCat({"there is no breaker \"", name, "\": GET /breakers lists them"}));
  }
  return AdminDone(request, StrCat({name, " is ", NameOf(*mode)}));
}

}  // namespace

void AddBreakersPage(AdminTable& table, BreakerBoard& breakers) {
  table.Add({"/breakers", AdminKind::kPage, "circuit breakers: state, why, what happened last",
             "?format=json",
             [&](const AdminRequest& request) { return ShowBreakers(request, breakers); }});
  table.Add({"/breakers", AdminKind::kAction,
             "holds one open, lets all pass, or leaves it to itself again",
             "?name=BREAKER, ?state=STATE",
             [&](const AdminRequest& request) { return SetBreaker(request, breakers); }});
}

}  // namespace sluice
