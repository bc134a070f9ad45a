#include "core/config/route_path_change.h"

#include <re2/re2.h>

#include <utility>

#include "core/config/route.pb.h"
#include "core/config/route_regex.h"

namespace sluice {

RoutePathChange::RoutePathChange() = default;
RoutePathChange::RoutePathChange(RoutePathChange&&) noexcept = default;
RoutePathChange& RoutePathChange::operator=(RoutePathChange&&) noexcept = default;
RoutePathChange::~RoutePathChange() = default;

Result<RoutePathChange> RoutePathChange::Prefix(const config::Match& match,
                                                std::string_view replacement) {
  RoutePathChange change;
  change.kind_ = Kind::kPrefix;
  change.replacement_ = replacement;
  switch (match.path_condition_case()) {
    case config::Match::kPrefix:
      change.matched_ = match.prefix().size();
      break;
    case config::Match::kPath:
      change.matched_ = match.path().size();
      break;
    case config::Match::kPathPrefix: {
      // The border's "/" belongs to what stays, however it is written.
      const std::string& prefix = match.path_prefix();
      change.matched_ = prefix.ends_with('/') ? prefix.size() - 1 : prefix.size();
      break;
    }
    case config::Match::kRegex:
    case config::Match::PATH_CONDITION_NOT_SET:
      return Fail(
          Code::kInvalidArgument,
          "prefix: takes the place of the match's prefix, path_prefix or path, but the route "
          "has none; use regex");
  }
  return change;
}

Result<RoutePathChange> RoutePathChange::Regex(const config::RegexRewrite& rewrite) {
  RoutePathChange change;
  change.kind_ = Kind::kRegex;
  change.replacement_ = rewrite.substitution();
  auto regex = CompileRegex(rewrite.pattern());
  if (!regex) return Fail(Code::kInvalidArgument, "regex.pattern: " + regex.error().detail);
  change.regex_ = std::move(*regex);
  std::string error;
  if (!change.regex_->CheckRewriteString(change.replacement_, &error)) {
    return Fail(Code::kInvalidArgument, "regex.substitution: " + error);
  }
  return change;
}

std::string_view RoutePathChange::Apply(std::string_view path, Arena& arena) const {
  if (kind_ == Kind::kNone || !path.starts_with('/')) return path;
  if (kind_ == Kind::kRegex) {
    std::string changed(path);
    if (re2::RE2::GlobalReplace(&changed, *regex_, replacement_) == 0) return path;
    return arena.Join({changed.starts_with('/') ? "" : "/", changed});
  }
  const std::string_view rest = path.substr(matched_);
  std::string_view start = replacement_;
  // /api to / makes /x of /api/x, not //x.
  if (start.ends_with('/') && rest.starts_with('/')) start.remove_suffix(1);
  const bool slash = start.empty() ? !rest.starts_with('/') : start.front() != '/';
  return arena.Join({slash ? "/" : "", start, rest});
}

}  // namespace sluice
