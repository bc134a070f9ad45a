// What must hold of balancing, beyond what each field says by itself: in clusters, and in the
// routes that lead to them. Main thread.
#ifndef SLUICE_CORE_CONFIG_CHECK_BALANCE_H_
#define SLUICE_CORE_CONFIG_CHECK_BALANCE_H_

#include <functional>
#include <string>
#include <string_view>

namespace google::protobuf {
template <typename Element>
class RepeatedPtrField;
}  // namespace google::protobuf

namespace sluice {

namespace config {
class Balance;
class Cluster;
class Config;
class HashKey;
class Label;
class Route;
}  // namespace config

class BalanceChecks {
 public:
  using Report = std::function<void(const std::string& path, std::string message)>;

  // `config` outlives this.
  BalanceChecks(const config::Config& config, Report error, Report warning);

  void CheckClusters();
  // All routes of one list, which stands at `path`.
  void CheckRoutes(const google::protobuf::RepeatedPtrField<config::Route>& routes,
                   const std::string& path);

 private:
  template <typename Element>
  using List = google::protobuf::RepeatedPtrField<Element>;

  void CheckCluster(const config::Cluster& cluster, const std::string& path);
  void CheckSubsets(const config::Balance& balance, const std::string& path);
  void CheckKeys(const List<config::HashKey>& keys, const std::string& path);
  void CheckKey(const config::HashKey& key, const std::string& path);
  void CheckSource(const config::HashKey& key, const std::string& path);
  void CheckCookiePath(const std::string& cookie_path, const std::string& path);
  void CheckLabels(const List<config::Label>& labels, const std::string& path);
  void CheckRoute(const config::Route& route, const std::string& path);
  // What the route asks of a cluster that it leads to.
  void CheckTarget(const config::Route& route, std::string_view cluster, const std::string& path);

  const config::Config& config_;
  Report error_;
  Report warning_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_CHECK_BALANCE_H_
