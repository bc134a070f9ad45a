#include "core/config/shadow.h"

#include "core/config/route.pb.h"

namespace sluice {
namespace {

using config::Match;

std::optional<int> Find(const std::map<std::string, int, std::less<>>& numbers,
                        std::string_view key) {
  const auto found = numbers.find(key);
  return found == numbers.end() ? std::nullopt : std::optional(found->second);
}

bool OnlyPath(const Match& match) {
  return match.methods().empty() && match.headers().empty() && match.query().empty() &&
         match.cookies().empty() && !match.has_fraction();
}

}  // namespace

std::optional<int> ShadowFinder::Next(const Match& match) {
  std::optional<int> cover = Cover(match);
  // Two with a share each are a choice, not a slip.
  if (!match.has_fraction()) {
    const auto [same, added] = same_.emplace(match.SerializeAsString(), count_);
    if (!added && !cover) cover = same->second;
  }
  if (OnlyPath(match)) Remember(match, count_);
  ++count_;
  return cover;
}

std::optional<int> ShadowFinder::Cover(const Match& match) const {
  if (everything_) return everything_;
  switch (match.path_condition_case()) {
    case Match::kPath:
      if (const auto same = Find(paths_, match.path())) return same;
      return CoverOfPath(match.path(), true);
    case Match::kPathPrefix:
      return CoverOfPath(match.path_prefix(), true);
    case Match::kPrefix:
      return CoverOfPath(match.prefix(), false);
    case Match::kRegex:
      return Find(regexes_, match.regex());
    case Match::PATH_CONDITION_NOT_SET:
      break;
  }
  return std::nullopt;
}

// The earliest. `whole_segment`: nothing but a "/" can follow `path`, so that a path_prefix equal
// to it covers it.
std::optional<int> ShadowFinder::CoverOfPath(std::string_view path, bool whole_segment) const {
  std::optional<int> earliest;
  const auto offer = [&earliest](std::optional<int> number) {
    if (number && (!earliest || *number < *earliest)) earliest = number;
  };
  for (const size_t length : prefix_lengths_) {
    if (length > path.size()) break;
    offer(Find(prefixes_, path.substr(0, length)));
  }
  for (const size_t length : segment_lengths_) {
    if (length > path.size()) break;
    const bool border = length == path.size() ? whole_segment : path[length] == '/';
    if (border) offer(Find(segments_, path.substr(0, length)));
  }
  return earliest;
}

void ShadowFinder::Remember(const Match& match, int number) {
  switch (match.path_condition_case()) {
    case Match::kPath:
      paths_.emplace(match.path(), number);
      break;
    case Match::kPathPrefix:
      if (match.path_prefix() == "/") everything_ = number;
      segments_.emplace(match.path_prefix(), number);
      segment_lengths_.insert(match.path_prefix().size());
      break;
    case Match::kPrefix:
      if (match.prefix() == "/") everything_ = number;
      prefixes_.emplace(match.prefix(), number);
      prefix_lengths_.insert(match.prefix().size());
      break;
    case Match::kRegex:
      regexes_.emplace(match.regex(), number);
      break;
    case Match::PATH_CONDITION_NOT_SET:
      everything_ = number;
      break;
  }
}

}  // namespace sluice
