#include "core/server/config_faults.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/base/append_file.h"
#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/event/loop.h"
#include "core/filter/factory.h"
#include "core/filter/header_changes.h"
#include "core/filter/registry.h"
#include "core/net/listen_socket.h"
#include "core/proxy/listener_settings.h"
#include "core/proxy/local_reply_map.h"
#include "core/proxy/route_fallbacks.h"
#include "core/server/process.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"
#include "core/upstream/cluster.h"

namespace sluice {
namespace {

constexpr std::string_view kFieldCharacters = "abcdefghijklmnopqrstuvwxyz_0123456789.[]";

// What is compiled begins an error with the field that it is about, "origins[0].regex: ...", where
// there is one.
std::string_view FieldOf(std::string_view detail) {
  const size_t end = detail.find_first_not_of(kFieldCharacters);
  return end != std::string_view::npos && end > 0 && detail.substr(end, 2) == ": "
             ? detail.substr(0, end)
             : std::string_view();
}

std::string Element(std::string_view list, int index) {
  return StrCat({list, "[", Decimal(static_cast<uint64_t>(index)), "]"});
}

class Finder {
 public:
  Finder(const LoadedConfig& loaded, Loop& loop, SystemClock& clock, StatsDirectory& stats)
      : loaded_(loaded), config_(*loaded.config), loop_(loop), context_{stats, clock, status_, "",
                                                                        1,     {},    true} {}

  std::vector<ConfigError> Run() {
    CheckProcess();
    const config::Admin& admin = config_.admin();
    for (int i = 0; i < admin.listen_size(); ++i) {
      CheckListen(admin.listen(i),
                  admin.listen_size() == 1 ? "admin.listen" : Element("admin.listen", i));
    }
    for (int i = 0; i < config_.listeners_size(); ++i) {
      CheckListener(config_.listeners(i), Element("listeners", i));
    }
    for (int i = 0; i < config_.clusters_size(); ++i) CheckCluster(i);
    if (errors_.empty()) CheckWhole();
    std::stable_sort(errors_.begin(), errors_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    return std::move(errors_);
  }

 private:
  void Add(std::string path, std::string message) {
    errors_.push_back(loaded_.Problem(std::move(path), std::move(message)));
  }

  // The field that the error begins with is below `path`.
  void AddBelow(const std::string& path, std::string_view detail) {
    const std::string_view field = FieldOf(detail);
    if (field.empty()) return Add(path, std::string(detail));
    Add(StrCat({path, ".", field}), std::string(detail.substr(field.size() + 2)));
  }

  void CheckProcess() {
    const Result<uid_t> user = FindUser(config_.user());
    if (!user) Add("user", user.error().detail);
    const Result<gid_t> group = FindGroup(config_.group());
    if (!group) Add("group", group.error().detail);
    if (user && group) {
      const Result<FileOwner> both = FindIdentity(config_.user(), config_.group());
      if (!both) Add("user", both.error().detail);
    }
    if (config_.log().path() == "/dev/stderr") return;
    const Result<void> log = CheckAppend(config_.log().path());
    if (!log) Add("log.path", log.error().detail);
  }

  template <typename Listen>
  void CheckListen(const Listen& listen, const std::string& path) {
    const Result<Address> address = Address::Parse(listen.address());
    if (!address) Add(path + ".address", address.error().detail);
    const Result<uid_t> owner = FindUser(listen.owner());
    if (!owner) Add(path + ".owner", owner.error().detail);
    const Result<gid_t> group = FindGroup(listen.group());
    if (!group) Add(path + ".group", group.error().detail);
  }

  void CheckListener(const config::Listener& listener, const std::string& path) {
    context_.listener = listener.name();
    CheckListen(listener.listen(), path + ".listen");
    for (int i = 0; i < listener.forwarded().trusted_cidrs_size(); ++i) {
      const Result<Cidr> cidr = Cidr::Parse(listener.forwarded().trusted_cidrs(i));
      if (!cidr) Add(Element(path + ".forwarded.trusted_cidrs", i), cidr.error().detail);
    }
    for (int i = 0; i < listener.filters_size(); ++i) {
      const config::FilterUse& use = listener.filters(i);
      CheckFilter(use, StrCat({Element(path + ".filters", i), ".", use.name()}));
    }
    CheckMessageHeaders(listener, path);
    CheckRoutes(listener.routes(), path);
    for (int i = 0; i < listener.hosts_size(); ++i) {
      const std::string host_path = Element(path + ".hosts", i);
      CheckMessageHeaders(listener.hosts(i), host_path);
      CheckRoutes(listener.hosts(i).routes(), host_path);
    }
    for (int i = 0; i < listener.local_reply_size(); ++i) {
      const config::LocalReply& reply = listener.local_reply(i);
      const std::string reply_path = Element(path + ".local_reply", i);
      for (const Error& error : LocalReplyMap::FindFaults(reply)) {
        AddBelow(reply_path, error.detail);
      }
      CheckHeaders(reply.headers(), reply_path + ".headers");
    }
  }

  template <typename Routes>
  void CheckRoutes(const Routes& routes, const std::string& path) {
    for (int i = 0; i < routes.size(); ++i) {
      const config::Route& route = routes.Get(i);
      const std::string route_path = Element(path + ".routes", i);
      for (const config::FilterUse& use : route.filters()) {
        if (!use.off()) CheckFilter(use, StrCat({route_path, ".filters.", use.name()}));
      }
      for (int j = 0; j < route.fallbacks_size(); ++j) {
        for (const Error& error : RouteFallbacks::FindFaults(route.fallbacks(j))) {
          AddBelow(Element(route_path + ".fallbacks", j), error.detail);
        }
      }
      CheckMessageHeaders(route, route_path);
      const config::WeightedClusters& weighted = route.weighted_clusters();
      for (int k = 0; k < weighted.clusters_size(); ++k) {
        CheckMessageHeaders(weighted.clusters(k),
                            Element(route_path + ".weighted_clusters.clusters", k));
      }
    }
  }

  void CheckFilter(const config::FilterUse& use, const std::string& path) {
    const FilterKind* const kind = FindFilterKind(use.name());
    if (kind == nullptr) return;  // the loader has said so
    const std::unique_ptr<google::protobuf::Message> message(kind->prototype().New());
    if (use.has_config() && !use.config().UnpackTo(message.get())) return;
    const Result<std::unique_ptr<FilterSettings>> settings = kind->Load(*message, context_);
    if (!settings) AddBelow(path, settings.error().detail);
  }

  // Of whatever has changes of requests and responses.
  template <typename Message>
  void CheckMessageHeaders(const Message& message, const std::string& path) {
    CheckHeaders(message.request_headers(), path + ".request_headers");
    CheckHeaders(message.response_headers(), path + ".response_headers");
  }

  // Each change by itself, to find all.
  void CheckHeaders(const config::HeaderChanges& changes, const std::string& path) {
    const auto check = [this](const config::HeaderChanges& one, const std::string& place) {
      const Result<HeaderChanges> compiled = HeaderChanges::Compile(one);
      if (!compiled) Add(place, compiled.error().detail);
    };
    for (int i = 0; i < changes.remove_size(); ++i) {
      config::HeaderChanges one;
      one.add_remove(changes.remove(i));
      check(one, Element(path + ".remove", i));
    }
    for (int i = 0; i < changes.set_size(); ++i) {
      config::HeaderChanges one;
      *one.add_set() = changes.set(i);
      check(one, Element(path + ".set", i));
    }
    for (int i = 0; i < changes.add_size(); ++i) {
      config::HeaderChanges one;
      *one.add_add() = changes.add(i);
      check(one, Element(path + ".add", i));
    }
  }

  // Each endpoint by itself, then what is left.
  void CheckCluster(int index) {
    const config::Cluster& cluster = config_.clusters(index);
    const std::string path = Element("clusters", index);
    bool sound = true;
    for (int i = 0; i < cluster.endpoints_size(); ++i) {
      config::Cluster one;
      one.set_name(cluster.name());
      *one.add_endpoints() = cluster.endpoints(i);
      const Result<EndpointSources> source = EndpointSources::Create(one);
      if (source) continue;
      sound = false;
      Add(Element(path + ".endpoints", i), source.error().detail);
    }
    if (!sound) return;
    const Result<std::unique_ptr<Cluster>> created =
        Cluster::Create(cluster, loop_, context_.stats);
    if (!created) Add(path, created.error().detail);
  }

  // The net for what none of the above looks at; routes are sound when they come from the loader.
  void CheckWhole() {
    for (int i = 0; i < config_.listeners_size(); ++i) {
      context_.listener = config_.listeners(i).name();
      const auto settings = ListenerSettings::Compile(config_.listeners(i), config_, context_);
      if (!settings) Add(Element("listeners", i), settings.error().detail);
    }
  }

  const LoadedConfig& loaded_;
  const config::Config& config_;
  Loop& loop_;
  const ServerStatus status_;
  LoadContext context_;
  std::vector<ConfigError> errors_;
};

}  // namespace

std::vector<ConfigError> FindConfigFaults(const LoadedConfig& loaded) {
  SystemClock clock;
  const Result<std::unique_ptr<Loop>> loop = Loop::Create(clock);
  if (!loop) return {loaded.Problem("", loop.error().detail)};
  // What a dry load registers must not stay in the process' own stats.
  const Result<std::unique_ptr<StatsSegment>> segment = StatsSegment::Create(StatsOptions{});
  if (!segment) return {loaded.Problem("", segment.error().detail)};
  StatsDirectory directory(**segment, [](std::string_view) {});
  return Finder(loaded, **loop, clock, directory).Run();
}

}  // namespace sluice
