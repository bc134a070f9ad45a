#include "tests/tree/include_rules.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace sluice {
namespace {

using Rooms = std::set<std::string, std::less<>>;

// What each room may include besides itself.
const std::map<std::string, Rooms, std::less<>>& Allowed() {
  static const auto* const allowed = [] {
    auto* map = new std::map<std::string, Rooms, std::less<>>{
        {"base", {}},
        {"event", {"base"}},
        {"stats", {"base"}},
        {"config", {"base"}},
        {"http", {"base"}},
        {"net", {"base", "event"}},
        {"redis", {"base", "event", "net"}},
        {"upstream", {"base", "event", "stats", "config", "http", "net"}},
    };
    // From here on a room may include everything above it.
    Rooms above = {"base", "event", "stats", "config", "http", "net", "redis", "upstream"};
    for (const char* room : {"filter", "proxy", "server"}) {
      map->emplace(room, above);
      above.insert(room);
    }
    return map;
  }();
  return *allowed;
}

std::vector<std::string> Parts(std::string_view path) {
  std::vector<std::string> parts;
  while (true) {
    const size_t slash = path.find('/');
    parts.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

bool IsTest(std::string_view file) {
  return file.ends_with("_test.cc") || file.ends_with("_benchmark.cc");
}

std::string List(const Rooms& rooms) {
  std::string text;
  for (const std::string& room : rooms) text += (text.empty() ? "core/" : ", core/") + room;
  return text.empty() ? "nothing of ours" : text;
}

std::optional<std::string> BrokenByRoom(const std::string& room,
                                        const std::vector<std::string>& target) {
  const auto allowed = Allowed().find(room);
  if (allowed == Allowed().end()) return "core/" + room + " is not a room the include rule knows";
  if (target[0] != "core") return "a room of core/ includes nothing of " + target[0] + "/";
  if (target[1] == room || allowed->second.contains(target[1])) return std::nullopt;
  return "core/" + room + " may include " + List(allowed->second) + "; not core/" + target[1];
}

std::optional<std::string> BrokenByFilter(const std::string& filter,
                                          const std::vector<std::string>& target) {
  if (target[0] == "plugins") {
    if (target[1] == "sdk") return std::nullopt;
    return "a filter includes of plugins/ only the SDK";
  }
  if (target[0] == "filters") {
    if (target[1] == filter) return std::nullopt;
    return "a filter includes no other filter; the registry is the only meeting point";
  }
  if (target[1] == "proxy" || target[1] == "server" || !Allowed().contains(target[1])) {
    return "a filter includes core/filter and what that may; never core/" + target[1];
  }
  return std::nullopt;
}

}  // namespace

std::optional<Include> ParseInclude(std::string_view line) {
  const auto skip_blanks = [&line] {
    while (!line.empty() && (line[0] == ' ' || line[0] == '\t')) line.remove_prefix(1);
  };
  skip_blanks();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip_blanks();
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(7);
  skip_blanks();
  if (line.empty() || (line[0] != '"' && line[0] != '<')) return std::nullopt;
  const bool quoted = line[0] == '"';
  const size_t end = line.find(quoted ? '"' : '>', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Include{std::string(line.substr(1, end - 1)), quoted};
}

std::optional<std::string> BrokenRule(std::string_view file, const Include& include) {
  const std::vector<std::string> from = Parts(file);
  const std::vector<std::string> target = Parts(include.path);
  const bool ours = target[0] == "core" || target[0] == "filters" || target[0] == "plugins" ||
                    target[0] == "tests";
  if (!include.quoted) {
    if (ours && target.size() > 1) return "our own headers are included with quotes";
    const bool may_see_uv = from[0] == "core" && (from[1] == "event" || from[1] == "net");
    if (include.path == "uv.h" && !may_see_uv) return "only core/event and core/net see <uv.h>";
    return std::nullopt;
  }
  if (!ours || target.size() < 3) {
    return "a quoted include is written from the root of the repository, as \"core/base/result.h\"";
  }
  if (target[0] == "tests") {
    if (from[0] == "tests" || IsTest(file)) return std::nullopt;
    return "only tests include tests/";
  }
  if (from[0] == "core") return BrokenByRoom(from[1], target);
  if (from[0] == "filters") return BrokenByFilter(from[1], target);
  return std::nullopt;
}

std::string GuardOf(std::string_view file) {
  std::string guard = "SLUICE_";
  for (const char c : file) {
    const auto byte = static_cast<unsigned char>(c);
    guard += std::isalnum(byte) ? static_cast<char>(std::toupper(byte)) : '_';
  }
  return guard + "_";
}

}  // namespace sluice
