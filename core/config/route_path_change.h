// RoutePathChange: how a rewrite or a redirect changes a path: the part that the route matched, or
// what a regex finds, or all of it. Owned by its route; immutable.
#ifndef SLUICE_CORE_CONFIG_ROUTE_PATH_CHANGE_H_
#define SLUICE_CORE_CONFIG_ROUTE_PATH_CHANGE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/result.h"

namespace re2 {
class RE2;
}

namespace sluice {
namespace config {
class Match;
class RegexRewrite;
}  // namespace config

class RoutePathChange {
 public:
  RoutePathChange();  // changes nothing
  RoutePathChange(RoutePathChange&&) noexcept;
  RoutePathChange& operator=(RoutePathChange&&) noexcept;
  ~RoutePathChange();

  // `replacement` takes the place of what `match` matches: its prefix, path_prefix or path.
  static Result<RoutePathChange> Prefix(const config::Match& match, std::string_view replacement);
  static Result<RoutePathChange> Regex(const config::RegexRewrite& rewrite);

  bool changes() const { return kind_ != Kind::kNone; }

  // The new path, which begins with "/"; it may hold a "?" that came with the substitution. In the
  // arena, or `path` itself where nothing changes ("*" and the empty path never do).
  // REQUIRES: of a prefix change, that the route matched `path`.
  std::string_view Apply(std::string_view path, Arena& arena) const;

 private:
  enum class Kind : unsigned char { kNone, kPrefix, kRegex };

  Kind kind_ = Kind::kNone;
  size_t matched_ = 0;       // kPrefix: the length of what is replaced
  std::string replacement_;  // what comes instead; of kRegex with \0 to \9
  std::unique_ptr<re2::RE2> regex_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_PATH_CHANGE_H_
