#include "core/config/route_key.h"

#include "core/base/strings.h"
#include "core/config/route.pb.h"
#include "core/config/route_strings.h"

namespace sluice {
namespace {

std::string HexDigits(uint32_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text += kDigits[value >> shift & 15];
  return text;
}

const std::string& PathOf(const config::Match& match) {
  switch (match.path_condition_case()) {
    case config::Match::kPath:
      return match.path();
    case config::Match::kRegex:
      return match.regex();
    case config::Match::kPathPrefix:
      return match.path_prefix();
    default:
      return match.prefix();
  }
}

}  // namespace

std::string RouteKey(const config::Route& route) {
  if (!route.name().empty()) return route.name();
  const std::string match = route.match().SerializeAsString();
  config::Match prefix;
  if (route.match().has_prefix()) prefix.set_prefix(route.match().prefix());
  if (prefix.has_prefix() && prefix.SerializeAsString() == match) return prefix.prefix();
  return StrCat({PathOf(route.match()), "~", HexDigits(static_cast<uint32_t>(RouteHash(match)))});
}

}  // namespace sluice
