#include "core/config/check_balance.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/text.h"

namespace sluice {
namespace {

// A shorter key could be guessed.
constexpr size_t kLeastKey = 16;

std::string At(std::string_view list, int index) {
  return StrCat({list, "[", Decimal(static_cast<uint64_t>(index)), "]"});
}

bool Hashes(const config::Balance& balance) {
  return balance.policy() == config::Balance::RING_HASH ||
         balance.policy() == config::Balance::MAGLEV;
}

std::vector<std::string> Sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> NamesOf(const google::protobuf::RepeatedPtrField<config::Label>& labels) {
  std::vector<std::string> names;
  for (const config::Label& label : labels) names.push_back(label.name());
  return Sorted(std::move(names));
}

bool HasSubsets(const config::Balance& balance, const std::vector<std::string>& names) {
  for (const config::SubsetKeys& keys : balance.subsets().by()) {
    if (Sorted({keys.names().begin(), keys.names().end()}) == names) return true;
  }
  return false;
}

}  // namespace

BalanceChecks::BalanceChecks(const config::Config& config, Report error, Report warning)
    : config_(config), error_(std::move(error)), warning_(std::move(warning)) {}

void BalanceChecks::CheckClusters() {
  for (int i = 0; i < config_.clusters_size(); ++i) {
    CheckCluster(config_.clusters(i), At("clusters", i));
  }
}

void BalanceChecks::CheckCluster(const config::Cluster& cluster, const std::string& path) {
  for (int i = 0; i < cluster.endpoints_size(); ++i) {
    CheckLabels(cluster.endpoints(i).metadata(), At(path + ".endpoints", i) + ".metadata");
  }
  const config::Balance& balance = cluster.balance();
  const std::string balance_path = path + ".balance";
  CheckKeys(balance.hash(), balance_path + ".hash");
  if (!balance.hash().empty() && !Hashes(balance)) {
    warning_(balance_path + ".hash", "only ring_hash and maglev look at it");
  }
  if (balance.has_slow_start() && Hashes(balance)) {
    warning_(balance_path + ".slow_start", "ring_hash and maglev do not look at it");
  }
  if (balance.has_sticky_session()) {
    const std::string& key = balance.sticky_session().key();
    // An empty one has been told already.
    if (!key.empty() && key.size() < kLeastKey) {
      error_(balance_path + ".sticky_session.key", "must be at least 16 bytes long");
    }
    CheckCookiePath(balance.sticky_session().path(), balance_path + ".sticky_session.path");
  }
  if (balance.has_subsets()) CheckSubsets(balance, balance_path + ".subsets");
}

void BalanceChecks::CheckSubsets(const config::Balance& balance, const std::string& path) {
  const config::Subsets& subsets = balance.subsets();
  for (int i = 0; i < subsets.by_size(); ++i) {
    std::set<std::string_view> names;
    const auto& list = subsets.by(i).names();
    for (int k = 0; k < list.size(); ++k) {
      if (!names.insert(list.Get(k)).second && !list.Get(k).empty()) {
        error_(At(At(path + ".by", i) + ".names", k),
               StrCat({Quoted(list.Get(k)), " is written twice"}));
      }
    }
  }
  CheckLabels(subsets.default_(), path + ".default");
  const bool wants_default = subsets.fallback() == config::Subsets::DEFAULT;
  if (wants_default && subsets.default_().empty()) {
    error_(path + ".fallback",
           "`default` is missing: the metadata of the endpoints to fall back on");
  } else if (!wants_default && !subsets.default_().empty()) {
    warning_(path + ".default", "only `fallback: default` looks at it");
  }
}

void BalanceChecks::CheckKeys(const List<config::HashKey>& keys, const std::string& path) {
  for (int i = 0; i < keys.size(); ++i) {
    const std::string key_path = At(path, i);
    CheckKey(keys.Get(i), key_path);
    if (i + 1 < keys.size() && keys.Get(i).has_ttl()) {
      warning_(At(path, i + 1),
               "never looked at: a request without the cookie before is given one");
    }
  }
}

void BalanceChecks::CheckCookiePath(const std::string& cookie_path, const std::string& path) {
  if (cookie_path.find(';') == std::string::npos) return;
  error_(path, "a cookie's path has no \";\": what stands behind it would be read as attributes");
}

void BalanceChecks::CheckSource(const config::HashKey& key, const std::string& path) {
  if (key.source_case() != config::HashKey::kClientIp || key.client_ip()) return;
  error_(path + ".client_ip", "off hashes nothing: write `on`, or leave this key out");
}

void BalanceChecks::CheckKey(const config::HashKey& key, const std::string& path) {
  CheckSource(key, path);
  CheckCookiePath(key.path(), path + ".path");
  if (key.has_cookie()) {
    if (!key.path().empty() && !key.has_ttl()) {
      error_(path + ".path", "is that of a cookie that is given: `ttl` is missing");
    }
    return;
  }
  if (key.has_ttl()) error_(path + ".ttl", "only a cookie has a ttl");
  if (!key.path().empty()) error_(path + ".path", "only a cookie has a path");
}

void BalanceChecks::CheckLabels(const List<config::Label>& labels, const std::string& path) {
  std::set<std::string_view> names;
  for (int i = 0; i < labels.size(); ++i) {
    if (!names.insert(labels.Get(i).name()).second && !labels.Get(i).name().empty()) {
      error_(At(path, i) + ".name", StrCat({Quoted(labels.Get(i).name()), " is written twice"}));
    }
  }
}

void BalanceChecks::CheckRoutes(const List<config::Route>& routes, const std::string& path) {
  for (int i = 0; i < routes.size(); ++i) CheckRoute(routes.Get(i), At(path, i));
}

void BalanceChecks::CheckRoute(const config::Route& route, const std::string& path) {
  CheckKeys(route.hash(), path + ".hash");
  CheckLabels(route.subset(), path + ".subset");
  switch (route.action_case()) {
    case config::Route::kCluster:
      return CheckTarget(route, route.cluster(), path);
    case config::Route::kWeightedClusters: {
      const config::WeightedClusters& weighted = route.weighted_clusters();
      const std::string sticky = path + ".weighted_clusters.sticky";
      CheckSource(weighted.sticky(), sticky);
      if (weighted.sticky().has_ttl()) error_(sticky + ".ttl", "only keys in `hash` give cookies");
      if (!weighted.sticky().path().empty()) {
        error_(sticky + ".path", "only keys in `hash` give cookies");
      }
      for (const config::WeightedCluster& each : weighted.clusters()) {
        CheckTarget(route, each.name(), path);
      }
      return;
    }
    case config::Route::kRedirect:
    case config::Route::kRespond:
      if (!route.hash().empty()) warning_(path + ".hash", "the route leads to no cluster");
      if (!route.subset().empty()) warning_(path + ".subset", "the route leads to no cluster");
      return;
    default:
      return;
  }
}

void BalanceChecks::CheckTarget(const config::Route& route, std::string_view cluster,
                                const std::string& path) {
  if (route.hash().empty() && route.subset().empty()) return;
  const auto found =
      std::find_if(config_.clusters().begin(), config_.clusters().end(),
                   [&](const config::Cluster& each) { return each.name() == cluster; });
  if (found == config_.clusters().end()) return;  // told already
  if (!route.hash().empty() && !Hashes(found->balance())) {
    warning_(path + ".hash", StrCat({"cluster ", Quoted(cluster),
                                     " does not look at it: its policy is neither "
                                     "ring_hash nor maglev"}));
  }
  if (!route.subset().empty() && !HasSubsets(found->balance(), NamesOf(route.subset()))) {
    error_(path + ".subset", StrCat({"cluster ", Quoted(cluster),
                                     " has no `subsets` by just these "
                                     "names"}));
  }
}

}  // namespace sluice
