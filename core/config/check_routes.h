// What must hold within routes, beyond what each field says by itself. Main thread.
#ifndef SLUICE_CORE_CONFIG_CHECK_ROUTES_H_
#define SLUICE_CORE_CONFIG_CHECK_ROUTES_H_

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
template <typename Element>
class RepeatedPtrField;
}  // namespace google::protobuf

namespace sluice {

namespace config {
class Match;
class Redirect;
class Route;
class WeightedClusters;
}  // namespace config

class RouteChecks {
 public:
  using Report = std::function<void(const std::string& path, std::string message)>;

  // `clusters`: the names that exist; outlive this.
  RouteChecks(const std::vector<std::string>& clusters, Report error, Report warning);

  // All routes of one list, which stands at `path`.
  void CheckList(const google::protobuf::RepeatedPtrField<config::Route>& routes,
                 const std::string& path);

 private:
  // What a breaker or a bulkhead has counted is found again by the route's key.
  void CheckKeys(const google::protobuf::RepeatedPtrField<config::Route>& routes,
                 const std::string& path);
  void CheckRoute(const config::Route& route, const std::string& path);
  void CheckMatch(const config::Match& match, const std::string& path);
  template <typename Conditions>
  void CheckRanges(const Conditions& conditions, const std::string& path);
  void CheckWeights(const config::WeightedClusters& weighted, const std::string& path);
  void CheckRedirect(const config::Redirect& redirect, const config::Match& match,
                     const std::string& path);
  // For a rewrite or a redirect.
  template <typename PathChange>
  void CheckPathChange(const PathChange& change, const config::Match& match,
                       const std::string& path);
  void CheckCluster(std::string_view name, const std::string& path);

  const std::vector<std::string>& clusters_;
  std::set<std::string_view> known_;
  int unknown_clusters_ = 0;
  Report error_;
  Report warning_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_CHECK_ROUTES_H_
