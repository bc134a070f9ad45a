#include "core/server/configuration/config_pages.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/one_line.h"
#include "core/base/strings.h"
#include "core/config/redaction.h"
#include "core/config/yaml_parser.h"
#include "core/server/configuration/config_desk.h"
#include "core/server/registered_filters.h"

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kYamlType = "application/yaml";
constexpr size_t kBodyLimit = 1u << 20;

Json JsonOf(const ConfigVersion& version) {
  return {{"version", version.version}, {"parent", version.parent},      {"hash", version.hash},
          {"time", version.time},       {"author", version.author},      {"reason", version.reason},
          {"source", version.source},   {"from_file", version.from_file}};
}

// What the loader takes for the same: it asks the schema what a scalar is.
Json JsonOf(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return nullptr;
    case Node::Kind::kScalar: {
      if (node.text == "true" || node.text == "false") return node.text == "true";
      const auto number = ParseDecimal(node.text);
      if (number && Decimal(*number) == std::string_view(node.text)) return *number;
      return node.text;
    }
    case Node::Kind::kList: {
      Json list = Json::array();
      for (const Node& item : node.items) list.push_back(JsonOf(item));
      return list;
    }
    case Node::Kind::kMap: {
      Json map = Json::object();
      for (size_t i = 0; i < node.keys.size(); ++i) map[node.keys[i].name] = JsonOf(node.items[i]);
      return map;
    }
  }
  return nullptr;
}

std::string EtagOf(const ConfigVersion& version) { return StrCat({"\"", version.hash, "\""}); }

// Without quotes. A weak one matches nothing (RFC 9110 13.1.1).
std::string_view Unquoted(std::string_view etag) {
  if (etag.size() < 2 || etag.front() != '"' || etag.back() != '"') return etag;
  return etag.substr(1, etag.size() - 2);
}

// What says nothing is what the file is.
std::optional<ConfigFormat> FormatOf(std::string_view content_type, std::string_view file) {
  const std::string type = LowerAscii(TrimBlanks(content_type.substr(0, content_type.find(';'))));
  if (type == kAdminJson) return ConfigFormat::kJson;
  if (type == "application/toml") return ConfigFormat::kToml;
  if (type == kYamlType || type == "application/x-yaml" || type == "text/yaml") {
    return ConfigFormat::kYaml;
  }
  // The last is what `curl --data-binary` says if it is told nothing.
  if (type.empty() || type == "text/plain" || type == "application/x-www-form-urlencoded") {
    return FormatOfFile(file);
  }
  return std::nullopt;
}

// A fault a line; as JSON, all of them in a list too.
AdminReply Refused(const AdminRequest& request, const Error& error) {
  AdminReply reply = AdminError(error);
  if (request.accept == "text/plain" || error.code == Code::kMismatch) return reply;
  Json faults = Json::array();
  for (std::string_view rest = error.detail; !rest.empty();) {
    const size_t end = rest.find('\n');
    faults.push_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  reply.body = AdminJson(Json{{"error", error.detail}, {"faults", std::move(faults)}}).body;
  reply.content_type = kAdminJson;
  return reply;
}

AdminReply Done(const AdminRequest& request, const Result<ConfigOutcome>& outcome) {
  if (!outcome) return Refused(request, outcome.error());
  AdminReply reply = AdminDone(request, outcome->Text());
  if (request.wants_json()) {
    Json body = {{"result", outcome->Text()}};
    body.update(JsonOf(outcome->version));
    body["warnings"] = Json::array();
    for (const ConfigError& warning : outcome->warnings) body["warnings"].push_back(warning.Text());
    reply.body = AdminJson(body).body;
  } else {
    for (const ConfigError& warning : outcome->warnings) {
      reply.body += StrCat({"warning: ", warning.Text(), "\n"});
    }
  }
  if (outcome->kind != ConfigOutcome::Kind::kGood) {
    reply.headers.emplace_back("etag", EtagOf(outcome->version));
  }
  return reply;
}

ConfigAsker AskerOf(const AdminRequest& request) {
  return {ConfigSource::kHttp, request.who, std::string(request.query.Get("reason"))};
}

AdminReply Show(const AdminRequest& request, const ConfigDesk& desk) {
  const bool origin = request.query.Has("origin");
  Result<std::string> dump = desk.Dump(origin ? DumpOrigin::kYes : DumpOrigin::kNo);
  if (!dump) return AdminError(500, dump.error().detail);
  AdminReply reply;
  if (request.wants_json()) {
    const ParseResult parsed = ParseYaml(*dump);
    if (!parsed) return AdminError(500, parsed.error().message);
    reply = AdminJson(JsonOf(*parsed));
  } else {
    reply.body = std::move(*dump);
    reply.content_type = kYamlType;
  }
  reply.headers.emplace_back("etag", EtagOf(desk.current()));
  return reply;
}

AdminReply Apply(const AdminRequest& request, ConfigDesk& desk) {
  if (request.if_match.empty()) {
    return AdminError(428, "If-Match must name what is to be replaced: GET /config has its ETag");
  }
  const auto format = FormatOf(request.content_type, desk.file());
  if (!format) {
    return AdminError(415, "expected application/yaml, application/json or application/toml");
  }
  const std::string_view value = request.query.Get("dry_run");
  const bool dry_run = request.query.Has("dry_run") && value != "0" && value != "false";
  return Done(request, desk.Put(request.body, *format, Unquoted(request.if_match), dry_run,
                                AskerOf(request)));
}

AdminReply Diff(const AdminRequest& request, const ConfigHistory& history) {
  const std::string_view both = request.query.Get("diff");
  const size_t dots = both.find("..");
  const auto before = ParseDecimal(both.substr(0, dots));
  const auto after =
      dots == std::string_view::npos ? std::nullopt : ParseDecimal(both.substr(dots + 2));
  if (!before || !after) return AdminError(400, "which two? ?diff=1..2");
  const Result<ConfigVersion> older = history.Get(*before);
  if (!older) return AdminError(older.error());
  const Result<ConfigVersion> newer = history.Get(*after);
  if (!newer) return AdminError(newer.error());
  const Result<std::string> diff = RedactedDiff(*older, *newer, RegisteredFilters());
  if (!diff) return AdminError(500, diff.error().detail);
  if (request.wants_json()) return AdminJson(Json{{"diff", *diff}});
  AdminReply reply;
  reply.body = *diff;
  return reply;
}

AdminReply History(const AdminRequest& request, const ConfigDesk& desk) {
  if (desk.history() == nullptr) return AdminError(503, "this process keeps no configurations");
  const ConfigHistory& history = *desk.history();
  if (request.query.Has("diff")) return Diff(request, history);
  Json list = Json::array();
  std::string text;
  const std::vector<uint64_t> versions = history.Versions();
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    const Result<ConfigVersion> entry = history.Get(*version);
    list.push_back(entry ? JsonOf(*entry)
                         : Json{{"version", *version}, {"error", entry.error().detail}});
    text += entry ? HistoryLine(*entry)
                  : StrCat({Decimal(*version), "  ", OneLine(entry.error().detail), "\n"});
  }
  if (request.wants_json()) return AdminJson(list);
  AdminReply reply;
  reply.body = std::move(text);
  return reply;
}

AdminReply GoBack(const AdminRequest& request, ConfigDesk& desk) {
  const auto version = ParseDecimal(request.query.Get("version"));
  if (!version) return AdminError(400, "which version? ?version=1");
  return Done(request, desk.Rollback(*version, AskerOf(request)));
}

}  // namespace

void AddConfigPages(AdminTable& table, ConfigDesk& desk) {
  table.Add({"/config", AdminKind::kPage, "what is in use, with all defaults, without secrets",
             "?origin, ?format=json",
             [&desk](const AdminRequest& request) { return Show(request, desk); }});
  table.Add({"/config", AdminKind::kAction, "uses the body from here on; needs If-Match",
             "?dry_run=1, ?reason=WHY, ?format=json",
             [&desk](const AdminRequest& request) { return Apply(request, desk); }, false,
             kBodyLimit});
  table.Add({"/config/history", AdminKind::kPage, "what was used, the latest first; what changed",
             "?diff=1..2, ?format=json",
             [&desk](const AdminRequest& request) { return History(request, desk); }});
  table.Add({"/config/rollback", AdminKind::kAction, "uses a version again, as a new one",
             "?version=VERSION, ?reason=WHY, ?format=json",
             [&desk](const AdminRequest& request) { return GoBack(request, desk); }});
}

}  // namespace sluice
