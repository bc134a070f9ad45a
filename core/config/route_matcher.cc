#include "core/config/route_matcher.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "core/config/route.pb.h"

namespace sluice {
namespace {

// With fewer regexes under one prefix, testing each is cheaper than a set, which allocates.
constexpr size_t kRegexesForSet = 5;

}  // namespace

// What the set says of one path: asked once, when the first regex that is in it comes up.
class RouteMatcher::SetResult {
 public:
  SetResult(const RouteMatcher& matcher, std::string_view path) : matcher_(matcher), path_(path) {}

  bool Takes(const Entry& entry) {
    if (entry.in_set < 0) return FullMatch(*entry.regex, path_);
    if (state_ == State::kUnasked) {
      state_ = matcher_.set_->Match(path_, numbers_) ? State::kKnown : State::kUnknown;
    }
    if (state_ == State::kUnknown) return FullMatch(*entry.regex, path_);
    return std::binary_search(numbers_.begin(), numbers_.end(), entry.in_set);
  }

 private:
  enum class State : uint8_t { kUnasked, kKnown, kUnknown };

  // Each worker's memory for the set's answers; nobody but the match under way uses it.
  static std::vector<int>& Numbers() {
    thread_local std::vector<int> numbers;
    return numbers;
  }

  const RouteMatcher& matcher_;
  std::string_view path_;
  State state_ = State::kUnasked;
  std::vector<int>& numbers_ = Numbers();
};

RouteMatcher::Entry::Entry(RouteConditions route_conditions)
    : conditions(std::move(route_conditions)) {}
RouteMatcher::RouteMatcher() = default;
RouteMatcher::~RouteMatcher() = default;

uint32_t RouteMatcher::Match(const RouteInput& input, Random& random) const {
  RoutePathIndex::Walk walk(index_, input.path);
  RouteCandidate candidate = walk.Next();
  if (candidate.final || candidate.order == kNone) return candidate.order;
  SetResult set(*this, input.path);
  do {
    const Entry& entry = entries_[candidate.order];
    if ((entry.regex == nullptr || set.Takes(entry)) && entry.conditions.Hold(input, random)) break;
    candidate = walk.Next();
  } while (!candidate.final && candidate.order != kNone);
  return candidate.order;
}

Result<void> RouteMatcher::Builder::Add(const config::Match& match) {
  auto conditions = RouteConditions::Compile(match, config_);
  if (!conditions) return Fail(std::move(conditions).error());
  const bool final = conditions->none();
  const auto order = static_cast<uint32_t>(matcher_->entries_.size());
  matcher_->entries_.emplace_back(std::move(*conditions));
  if (match.path_condition_case() == config::Match::kRegex) {
    return AddRegex(match.regex(), order, final);
  }
  AddPath(match, order, final);
  return {};
}

void RouteMatcher::Builder::AddPath(const config::Match& match, uint32_t order, bool final) {
  const RouteCandidate route{order, final};
  switch (match.path_condition_case()) {
    case config::Match::kPath:
      index_.AddExact(match.path(), route);
      break;
    case config::Match::kPrefix:
      // "/" stands for all there is, "*" and the empty path of CONNECT too.
      index_.AddPrefix(match.prefix() == "/" ? "" : match.prefix(), route);
      break;
    case config::Match::kPathPrefix:
      if (match.path_prefix() == "/") {
        index_.AddPrefix("", route);
      } else if (match.path_prefix().ends_with('/')) {
        index_.AddPrefix(match.path_prefix(), route);  // its border is there
      } else {
        index_.AddExact(match.path_prefix(), route);
        index_.AddPrefix(match.path_prefix() + '/', route);
      }
      break;
    case config::Match::kRegex:
    case config::Match::PATH_CONDITION_NOT_SET:
      index_.AddPrefix("", route);
      break;
  }
}

Result<void> RouteMatcher::Builder::AddRegex(const std::string& pattern, uint32_t order,
                                             bool final) {
  auto regex = CompileRegex(pattern);
  if (!regex) return Fail(Code::kInvalidArgument, "regex: " + regex.error().detail);
  const RegexPrefix prefix = FindRegexPrefix(**regex);
  if (prefix.whole) {
    index_.AddExact(prefix.text, {order, final});
    return {};
  }
  index_.AddPrefix(prefix.text, {order, false});
  matcher_->entries_[order].regex = std::move(*regex);
  regexes_[prefix.text].push_back(order);
  return {};
}

std::unique_ptr<RouteMatcher> RouteMatcher::Builder::Finish() && {
  matcher_->index_ = RoutePathIndex(index_);
  BuildSet();
  return std::move(matcher_);
}

void RouteMatcher::Builder::BuildSet() {
  std::vector<std::string> patterns;
  std::vector<uint32_t> orders;
  for (const auto& [prefix, routes] : regexes_) {
    if (routes.size() < kRegexesForSet) continue;
    for (const uint32_t order : routes) {
      orders.push_back(order);
      patterns.push_back(matcher_->entries_[order].regex->pattern());
    }
  }
  if (patterns.empty()) return;
  matcher_->set_ = RegexSet::Build(patterns);
  if (matcher_->set_ == nullptr) return;
  for (size_t i = 0; i < orders.size(); ++i) {
    matcher_->entries_[orders[i]].in_set = static_cast<int>(i);
  }
}

}  // namespace sluice
