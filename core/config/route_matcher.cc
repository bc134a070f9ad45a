#include "core/config/route_matcher.h"

#include <algorithm>
#include <utility>

#include "core/config/route.pb.h"

namespace sluice {
namespace {

// With fewer regexes under one prefix, testing each is cheaper than a set, which allocates.
constexpr size_t kRegexesForSet = 5;

}  // namespace

// The routes in the set whose regexes take a path. The set is asked when the first of them may come
// up, if ever.
class RouteMatcher::SetHits {
 public:
  SetHits(const RouteMatcher& matcher, std::string_view path) : matcher_(matcher), path_(path) {}

  void Ask() {
    if (numbers_ != nullptr) return;
    numbers_ = &Numbers();
    if (matcher_.set_->Match(path_, *numbers_)) return;
    numbers_->clear();
    for (size_t i = 0; i < matcher_.set_orders_.size(); ++i) {
      const RouteRegex& regex = *matcher_.entries_[matcher_.set_orders_[i]].regex;
      if (path_.starts_with(regex.prefix()) && regex.Matches(path_)) {
        numbers_->push_back(static_cast<int>(i));
      }
    }
  }

  // The order of the first that is left, or kNone.
  uint32_t first() const {
    if (numbers_ == nullptr || next_ == numbers_->size()) return kNone;
    return matcher_.set_orders_[static_cast<size_t>((*numbers_)[next_])];
  }
  void Drop() { ++next_; }

 private:
  // Each worker's memory for the set's answers; nobody but the match under way uses it.
  static std::vector<int>& Numbers() {
    thread_local std::vector<int> numbers;
    return numbers;
  }

  const RouteMatcher& matcher_;
  std::string_view path_;
  std::vector<int>* numbers_ = nullptr;  // nullptr: not asked
  size_t next_ = 0;
};

RouteMatcher::Entry::Entry(RouteConditions route_conditions)
    : conditions(std::move(route_conditions)) {}
RouteMatcher::RouteMatcher() = default;
RouteMatcher::~RouteMatcher() = default;

uint32_t RouteMatcher::Match(const RouteInput& input, Random& random) const {
  RoutePathIndex::Walk walk(index_, input.path);
  RouteCandidate candidate = walk.Next();
  SetHits hits(*this, input.path);
  while (true) {
    // Of the index and the set, whatever comes first.
    if (const uint32_t hit = hits.first(); hit < candidate.order) {
      if (entries_[hit].conditions.Hold(input, random)) return hit;
      hits.Drop();
      continue;
    }
    if (candidate.final || candidate.order == kNone) return candidate.order;
    const Entry& entry = entries_[candidate.order];
    if (entry.opens_set) {
      hits.Ask();  // which tells of this route, too
    } else if ((!entry.regex || entry.regex->Matches(input.path)) &&
               entry.conditions.Hold(input, random)) {
      return candidate.order;
    }
    candidate = walk.Next();
  }
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
  auto regex = RouteRegex::Compile(pattern, matcher_->regexes_);
  if (!regex) return Fail(Code::kInvalidArgument, "regex: " + regex.error().detail);
  if (regex->literal()) {
    index_.AddExact(regex->prefix(), {order, final});
    return {};
  }
  regexes_[regex->prefix()].push_back(order);
  matcher_->entries_[order].regex = std::move(*regex);
  return {};
}

std::unique_ptr<RouteMatcher> RouteMatcher::Builder::Finish() && {
  BuildSet();
  PlaceRegexes();
  matcher_->index_ = RoutePathIndex(index_);
  return std::move(matcher_);
}

void RouteMatcher::Builder::BuildSet() {
  std::vector<uint32_t> orders;
  for (const auto& [prefix, routes] : regexes_) {
    if (routes.size() >= kRegexesForSet) orders.insert(orders.end(), routes.begin(), routes.end());
  }
  if (orders.empty()) return;
  std::sort(orders.begin(), orders.end());
  std::vector<std::string> patterns;
  for (const uint32_t order : orders)
    patterns.push_back(matcher_->entries_[order].regex->pattern());
  matcher_->set_ = RegexSet::Build(patterns);
  matcher_->set_orders_ = std::move(orders);
}

void RouteMatcher::Builder::PlaceRegexes() {
  for (const auto& [prefix, routes] : regexes_) {
    if (matcher_->set_ != nullptr && routes.size() >= kRegexesForSet) {
      matcher_->entries_[routes.front()].opens_set = true;
      index_.AddPrefix(prefix, {routes.front(), false});
      continue;
    }
    for (const uint32_t order : routes) index_.AddPrefix(prefix, {order, false});
  }
}

}  // namespace sluice
