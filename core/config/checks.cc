#include "core/config/checks.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/strings.h"
#include "core/config/address_overlap.h"
#include "core/config/check_balance.h"
#include "core/config/check_health.h"
#include "core/config/check_overload.h"
#include "core/config/check_resilience.h"
#include "core/config/check_routes.h"
#include "core/config/config.pb.h"
#include "core/config/forms.h"
#include "core/config/text.h"

namespace sluice {
namespace {

std::string At(std::string_view list, int index) {
  return StrCat({list, "[", Decimal(static_cast<uint64_t>(index)), "]"});
}

class Checker {
 public:
  Checker(const Node& root, const config::Config& config, ConfigProblems& problems)
      : root_(root), config_(config), problems_(problems) {}

  void Run() {
    CheckNames("listeners", config_.listeners());
    CheckNames("clusters", config_.clusters());
    CheckAddresses();
    for (const auto& cluster : config_.clusters()) clusters_.push_back(cluster.name());
    const auto error = [this](const std::string& path, std::string message) {
      Add(path, std::move(message));
    };
    const auto warning = [this](const std::string& path, std::string message) {
      problems_.Warn(FindNearest(root_, path).mark, path, std::move(message));
    };
    const auto is_written = [this](const std::string& path) { return IsWritten(path); };
    RouteChecks routes(clusters_, error, warning);
    BalanceChecks balance(config_, error, warning);
    const RouteListCheck check_routes = [&](const List<config::Route>& list,
                                            const std::string& path) {
      routes.CheckList(list, path);
      balance.CheckRoutes(list, path);
      for (int i = 0; i < list.size(); ++i) {
        CheckRetries(list.Get(i), At(path, i), error, warning);
        if (list.Get(i).has_breaker()) CheckBreaker(At(path, i) + ".breaker", is_written, error);
      }
    };
    balance.CheckClusters();
    for (int i = 0; i < config_.clusters_size(); ++i) {
      const config::Cluster& cluster = config_.clusters(i);
      const std::string path = At("clusters", i);
      if (cluster.has_bulkhead()) {
        CheckBulkhead(cluster.bulkhead(), false, path + ".bulkhead", error);
      }
      if (cluster.has_breaker()) CheckBreaker(path + ".breaker", is_written, error);
      if (cluster.has_health()) CheckHealth(cluster, path + ".health", is_written, error);
      if (cluster.has_limits()) CheckLimits(cluster.limits(), path + ".limits", error);
    }
    CheckOverload(config_.overload(), "overload", error);
    for (int i = 0; i < config_.listeners_size(); ++i) {
      CheckListener(config_.listeners(i), At("listeners", i), check_routes);
    }
  }

 private:
  template <typename Message>
  using List = google::protobuf::RepeatedPtrField<Message>;
  using RouteListCheck =
      std::function<void(const List<config::Route>& routes, const std::string& path)>;

  template <typename Items>
  void CheckNames(std::string_view list, const Items& items) {
    std::map<std::string_view, int> first;
    for (int i = 0; i < items.size(); ++i) {
      const std::string& name = items.Get(i).name();
      const auto [found, added] = first.emplace(name, i);
      if (added || name.empty()) continue;
      Add(At(list, i) + ".name",
          StrCat({"the name ", Quoted(name), " is that of ", At(list, found->second)}));
    }
  }

  void CheckAddresses() {
    AddressOverlap addresses;
    CheckAdmin(addresses);
    for (int i = 0; i < config_.listeners_size(); ++i) {
      CheckListen(config_.listeners(i).listen(), At("listeners", i) + ".listen", addresses);
    }
  }

  void CheckAdmin(AddressOverlap& addresses) {
    const config::Admin& admin = config_.admin();
    for (int i = 0; i < admin.listen_size(); ++i) {
      const std::string path = admin.listen_size() == 1 ? "admin.listen" : At("admin.listen", i);
      CheckListen(admin.listen(i), path, addresses);
      if (admin.has_token() || IsPrivate(admin.listen(i).address())) continue;
      Add(path, StrCat({Quoted(admin.listen(i).address()),
                        " is open to others than this machine: add `token: \"${ADMIN_TOKEN}\"`, or "
                        "listen on 127.0.0.1, [::1] or a unix socket"}));
    }
    if (!admin.has_token()) return;
    const std::string& token = admin.token();
    if (token.empty() ||
        !std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; })) {
      Add("admin.token", token.empty() ? "must not be empty: leave it out to have none"
                                       : "must be of visible ASCII characters without blanks");
    }
  }

  // May only this machine connect?
  static bool IsPrivate(std::string_view address) {
    const auto parts = SplitAddress(address);
    if (!parts || !parts->path.empty()) return true;  // no address is told elsewhere
    return parts->host.starts_with("127.") || parts->host == "::1";
  }

  template <typename Listen>
  void CheckListen(const Listen& listen, const std::string& path, AddressOverlap& addresses) {
    if (const auto other = addresses.Next(listen.address(), path)) {
      Add(path, StrCat({Quoted(listen.address()), " is taken: ", *other}));
    }
    const bool unix_socket = listen.address().substr(0, 5) == "unix:";
    if (!unix_socket && !(listen.owner().empty() && listen.group().empty())) {
      Add(path, "only unix sockets have an owner and a group");
    }
  }

  void CheckListener(const config::Listener& listener, const std::string& path,
                     const RouteListCheck& check_routes) {
    const bool none = listener.routes().empty() && listener.hosts().empty();
    if (none && !IsWritten(path + ".routes") && !IsWritten(path + ".hosts")) {
      Add(path, "one of routes or hosts is missing");
    } else if (!listener.routes().empty() && !listener.hosts().empty()) {
      Add(path + ".routes",
          "routes and hosts exclude each other: put these routes into a host "
          "with the domain \"*\"");
    }
    check_routes(listener.routes(), path + ".routes");
    std::map<std::string, std::string> domains;
    std::map<std::string_view, int> names;
    for (int i = 0; i < listener.hosts_size(); ++i) {
      const config::Host& host = listener.hosts(i);
      const std::string host_path = At(path + ".hosts", i);
      CheckDomains(host, host_path, domains);
      const auto [found, added] = names.emplace(host.name(), i);
      if (!added && !host.name().empty()) {
        Add(host_path + ".name", StrCat({"the name ", Quoted(host.name()), " is that of ",
                                         At(path + ".hosts", found->second)}));
      }
      check_routes(host.routes(), host_path + ".routes");
    }
  }

  void CheckDomains(const config::Host& host, const std::string& path,
                    std::map<std::string, std::string>& domains) {
    for (int i = 0; i < host.domains_size(); ++i) {
      const std::string domain_path = At(path + ".domains", i);
      const auto [found, added] = domains.emplace(LowerAscii(host.domains(i)), domain_path);
      if (added) continue;
      Add(domain_path,
          StrCat({"the domain ", Quoted(host.domains(i)), " is taken by ", found->second}));
    }
  }

  bool IsWritten(const std::string& path) const {
    // A list that is written but wrong has been told already.
    const size_t dot = path.rfind('.');
    const Node* node = FindNearest(root_, path.substr(0, dot)).Find(path.substr(dot + 1));
    return node != nullptr && node->kind != Node::Kind::kNull;
  }

  void Add(const std::string& path, std::string message) {
    problems_.Add(FindNearest(root_, path).mark, path, std::move(message));
  }

  const Node& root_;
  const config::Config& config_;
  ConfigProblems& problems_;
  std::vector<std::string> clusters_;
};

}  // namespace

void CheckConfig(const Node& root, const config::Config& config, ConfigProblems& problems) {
  Checker(root, config, problems).Run();
}

}  // namespace sluice
