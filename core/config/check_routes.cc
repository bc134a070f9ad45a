#include "core/config/check_routes.h"

#include <re2/re2.h>

#include <map>
#include <utility>

#include "core/base/strings.h"
#include "core/config/check_overload.h"
#include "core/config/route.pb.h"
#include "core/config/route_key.h"
#include "core/config/shadow.h"
#include "core/config/text.h"

namespace sluice {
namespace {

constexpr int kMaxHints = 20;

std::string At(std::string_view list, int index) {
  return StrCat({list, "[", Decimal(static_cast<uint64_t>(index)), "]"});
}

bool HasPlainPath(const config::Match& match) {
  return match.has_prefix() || match.has_path() || match.has_path_prefix();
}

}  // namespace

RouteChecks::RouteChecks(const std::vector<std::string>& clusters, Report error, Report warning)
    : clusters_(clusters),
      known_(clusters.begin(), clusters.end()),
      error_(std::move(error)),
      warning_(std::move(warning)) {}

void RouteChecks::CheckList(const google::protobuf::RepeatedPtrField<config::Route>& routes,
                            const std::string& path) {
  CheckKeys(routes, path);
  ShadowFinder shadows;
  for (int i = 0; i < routes.size(); ++i) {
    const std::string route_path = At(path, i);
    CheckRoute(routes.Get(i), route_path);
    // One whose match is missing is an error already.
    if (!routes.Get(i).has_match()) continue;
    if (const auto earlier = shadows.Next(routes.Get(i).match())) {
      warning_(route_path,
               StrCat({"never matches: ", At(path, *earlier), " takes all its requests"}));
    }
  }
}

void RouteChecks::CheckKeys(const google::protobuf::RepeatedPtrField<config::Route>& routes,
                            const std::string& path) {
  std::map<std::string, int> first;
  for (int i = 0; i < routes.size(); ++i) {
    const config::Route& route = routes.Get(i);
    if (!route.has_breaker() && !route.has_bulkhead()) continue;
    const auto [found, added] = first.emplace(RouteKey(route), i);
    if (added) continue;
    const std::string other = At(path, found->second);
    const bool named = !route.name().empty();
    error_(StrCat({At(path, i), named ? ".name" : ""}),
           named ? StrCat({"the name ", Quoted(route.name()), " is that of ", other,
                           ", and both have a breaker or a bulkhead: name them apart"})
                 : StrCat({"matches the same as ", other,
                           ", and both have a breaker or a bulkhead: give them names"}));
  }
}

void RouteChecks::CheckRoute(const config::Route& route, const std::string& path) {
  CheckMatch(route.match(), path + ".match");
  switch (route.action_case()) {
    case config::Route::kCluster:
      CheckCluster(route.cluster(), path + ".cluster");
      break;
    case config::Route::kWeightedClusters:
      CheckWeights(route.weighted_clusters(), path + ".weighted_clusters");
      break;
    case config::Route::kRedirect:
      CheckRedirect(route.redirect(), route.match(), path + ".redirect");
      break;
    default:
      break;
  }
  if (route.has_rewrite()) CheckPathChange(route.rewrite(), route.match(), path + ".rewrite");
  if (route.has_mirror()) CheckCluster(route.mirror().cluster(), path + ".mirror.cluster");
  for (int i = 0; i < route.fallbacks_size(); ++i) {
    const config::Fallback& fallback = route.fallbacks(i);
    if (fallback.action_case() != config::Fallback::kCluster) continue;
    CheckCluster(fallback.cluster(), At(path + ".fallbacks", i) + ".cluster");
  }
  if (route.has_breaker() && route.has_cluster_header()) {
    error_(path + ".breaker",
           "does not go with `cluster_header`: give the clusters that it may name one each");
  }
  if (route.has_bulkhead()) CheckBulkhead(route.bulkhead(), true, path + ".bulkhead", error_);
}

void RouteChecks::CheckMatch(const config::Match& match, const std::string& path) {
  const std::pair<std::string_view, std::string_view> plain[] = {
      {"prefix", match.prefix()}, {"path", match.path()}, {"path_prefix", match.path_prefix()}};
  for (const auto& [field, text] : plain) {
    if (text.find_first_of("?#") == std::string_view::npos) continue;
    error_(StrCat({path, ".", field}),
           "a path ends before \"?\" and \"#\": for the query there is `query`");
  }
  if (match.path_prefix().size() > 1 && match.path_prefix().back() == '/') {
    error_(path + ".path_prefix", "must not end with \"/\": it ends at a segment's border anyway");
  }
  CheckRanges(match.headers(), path + ".headers");
  CheckRanges(match.query(), path + ".query");
  CheckRanges(match.cookies(), path + ".cookies");
}

template <typename Conditions>
void RouteChecks::CheckRanges(const Conditions& conditions, const std::string& path) {
  for (int i = 0; i < conditions.size(); ++i) {
    const config::ValueMatch& condition = conditions.Get(i);
    if (!condition.has_range() || condition.range().start() < condition.range().end()) continue;
    error_(At(path, i) + ".range", "nothing is in this range: start must be below end");
  }
}

void RouteChecks::CheckWeights(const config::WeightedClusters& weighted, const std::string& path) {
  uint64_t sum = 0;
  std::set<std::string_view> names;
  for (int i = 0; i < weighted.clusters_size(); ++i) {
    const config::WeightedCluster& cluster = weighted.clusters(i);
    const std::string name_path = At(path + ".clusters", i) + ".name";
    CheckCluster(cluster.name(), name_path);
    if (!names.insert(cluster.name()).second && !cluster.name().empty()) {
      error_(name_path, StrCat({Quoted(cluster.name()), " is written twice"}));
    }
    sum += cluster.weight();
  }
  if (sum == 0 && weighted.clusters_size() > 0) error_(path, "all weights are 0");
}

void RouteChecks::CheckRedirect(const config::Redirect& redirect, const config::Match& match,
                                const std::string& path) {
  if (!redirect.scheme().empty() && redirect.scheme() != "http" && redirect.scheme() != "https") {
    error_(path + ".scheme", StrCat({"expected http or https, got ", Quoted(redirect.scheme())}));
  }
  const bool changes = !redirect.scheme().empty() || !redirect.host().empty() ||
                       redirect.port() != 0 || redirect.strip_query() ||
                       redirect.path_change_case() != config::Redirect::PATH_CHANGE_NOT_SET;
  if (!changes) error_(path, "changes nothing: the client would come back with the same request");
  CheckPathChange(redirect, match, path);
}

template <typename PathChange>
void RouteChecks::CheckPathChange(const PathChange& change, const config::Match& match,
                                  const std::string& path) {
  if (change.has_prefix() && !HasPlainPath(match)) {
    error_(path + ".prefix", "the route matches no prefix or path that it could take the place of");
  }
  if (!change.has_regex()) return;
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 pattern(change.regex().pattern(), options);
  std::string fault;
  if (pattern.ok() && !pattern.CheckRewriteString(change.regex().substitution(), &fault)) {
    error_(path + ".regex.substitution", fault);
  }
}

void RouteChecks::CheckCluster(std::string_view name, const std::string& path) {
  if (name.empty() || known_.count(name) > 0) return;
  // Thousands of them, each compared with thousands of names, would take minutes.
  const bool hint = ++unknown_clusters_ <= kMaxHints;
  error_(path, StrCat({"there is no cluster ", Quoted(name),
                       hint ? DidYouMean(name, clusters_) : std::string()}));
}

}  // namespace sluice
