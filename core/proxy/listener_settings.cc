#include "core/proxy/listener_settings.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/filter_use.pb.h"
#include "core/config/header_changes.pb.h"
#include "core/config/listener.pb.h"
#include "core/config/route.pb.h"
#include "core/config/route_key.h"
#include "core/filter/registry.h"
#include "core/upstream/breaker/breaker_board.h"

namespace sluice {
namespace {

class Compiler {
 public:
  Compiler(const config::Listener& listener, const config::Config& config, LoadContext& context)
      : listener_(listener),
        config_(config),
        context_(context),
        out_(std::make_unique<ListenerSettings>()) {}

  Result<std::unique_ptr<const ListenerSettings>> Run() {
    CopyFields();
    SLUICE_TRY(CompileForwarded());
    for (const config::FilterUse& use : listener_.filters()) {
      SLUICE_TRY(AddFilter(use, StrCat({"filters.", use.name()})));
    }
    out_->filter_count = static_cast<uint32_t>(out_->filters.size());
    Result<std::unique_ptr<const RouteTable>> routes = RouteTable::Compile(listener_, config_);
    if (!routes) return Fail(std::move(routes).error());
    out_->routes = std::move(*routes);
    SLUICE_TRY(CompileRoutes());
    Result<LocalReplyMap> replies = LocalReplyMap::Compile(listener_);
    if (!replies) return Fail(std::move(replies).error());
    out_->local_replies = std::move(*replies);
    out_->stats = StatsScope(context_.stats, {{"listener", out_->name}}).Group<ListenerStats>();
    return std::unique_ptr<const ListenerSettings>(std::move(out_));
  }

 private:
  tl::unexpected<Error> FailAt(std::string_view place, std::string_view message) const {
    return Fail(Code::kInvalidArgument,
                StrCat({"listener \"", listener_.name(), "\": ", place, ": ", message}));
  }

  void CopyFields() {
    ListenerSettings& out = *out_;
    out.name = listener_.name();
    const config::Limits& limits = listener_.limits();
    out.codec.head_size = static_cast<uint32_t>(limits.head_size());
    out.codec.header_count = limits.header_count();
    out.codec.target_size = static_cast<uint32_t>(limits.target_size());
    out.codec.http10 = listener_.http10();
    out.body_size = limits.body_size();
    out.connections = limits.connections();
    out.requests_per_connection = limits.requests_per_connection();
    const config::Timeouts& timeouts = listener_.timeouts();
    out.head_timeout = timeouts.head();
    out.body_idle_timeout = timeouts.body_idle();
    out.stream_idle_timeout = timeouts.stream_idle();
    out.keep_alive_timeout = timeouts.keep_alive();
    const config::PathRules& path = listener_.path();
    out.normalize_path = path.normalize();
    out.merge_slashes = path.merge_slashes();
    out.escaped_slashes = static_cast<EscapedSlashRule>(path.escaped_slashes());
    out.server_header = static_cast<ServerHeaderMode>(listener_.server_header().mode());
    out.server_name = listener_.server_header().name();
    out.proxy_protocol = static_cast<ProxyProtocolMode>(listener_.proxy_protocol());
  }

  Result<void> CompileForwarded() {
    const config::Forwarded& forwarded = listener_.forwarded();
    out_->trusted_hops = forwarded.trusted_hops();
    out_->x_forwarded = forwarded.x_forwarded();
    out_->request_id = forwarded.request_id();
    out_->via = forwarded.via();
    out_->priority_header = forwarded.priority();
    for (const std::string& text : forwarded.trusted_cidrs()) {
      Result<Cidr> cidr = Cidr::Parse(text);
      if (!cidr) return FailAt("forwarded.trusted_cidrs", cidr.error().detail);
      out_->trusted_cidrs.push_back(*cidr);
    }
    return {};
  }

  Result<void> AddFilter(const config::FilterUse& use, std::string_view place) {
    const FilterKind* kind = FindFilterKind(use.name());
    if (kind == nullptr) return FailAt(place, "there is no such filter");
    std::unique_ptr<google::protobuf::Message> message(kind->prototype().New());
    if (use.has_config() && !use.config().UnpackTo(message.get())) {
      return FailAt(place, "the config is of another filter");
    }
    Result<std::unique_ptr<FilterSettings>> settings = kind->Load(*message, context_);
    if (!settings) return FailAt(place, settings.error().detail);
    if ((*settings)->reads_private_headers()) out_->keep_private_headers = true;
    out_->filters.push_back(LoadedFilter{kind, std::move(*settings)});
    return {};
  }

  Result<void> CompileRoutes() {
    out_->route_extras.resize(out_->routes->route_count());
    for (const auto& host : out_->routes->hosts()) {
      for (const Route& route : host->routes()) {
        const std::string place =
            StrCat({"route ", Decimal(route.index()), route.name().empty() ? "" : " \"",
                    route.name(), route.name().empty() ? "" : "\""});
        SLUICE_TRY(CompileRoute(route, place));
      }
    }
    return {};
  }

  Result<void> CompileRoute(const Route& route, std::string_view place) {
    RouteExtras& extras = out_->route_extras[route.index()];
    extras.changes.resize(route.choice_count());
    for (size_t choice = 0; choice < route.choice_count(); ++choice) {
      SLUICE_TRY(
          CompileChanges(route.headers(choice).request, place, extras.changes[choice].request));
      SLUICE_TRY(
          CompileChanges(route.headers(choice).response, place, extras.changes[choice].response));
    }
    if (!route.name().empty()) {
      extras.stats = StatsScope(context_.stats, {{"listener", out_->name}, {"route", route.name()}})
                         .Group<RouteStats>();
      extras.has_stats = true;
    }
    Result<RouteFallbacks> fallbacks = RouteFallbacks::Compile(
        route.config(), [this](std::string_view name) { return IndexOfCluster(name); });
    if (!fallbacks) return FailAt(place, fallbacks.error().detail);
    extras.fallbacks = std::move(*fallbacks);
    if (route.config().has_hedge()) {
      extras.hedges = true;
      extras.hedge_after = route.config().hedge().after();
      extras.hedge_percentile = route.config().hedge().percentile();
    }
    if (route.config().has_breaker()) AddBreakers(route, extras);
    if (route.config().has_bulkhead()) {
      const LabelPairs pairs = LabelsOf(route);
      LabelList labels;
      for (const auto& [name, value] : pairs) labels.push_back({name, value});
      extras.bulkhead =
          std::make_unique<BulkheadSettings>(route.config().bulkhead(), context_.stats, labels);
    }
    for (uint32_t i = 0; i < out_->filter_count; ++i) {
      const std::string_view name = out_->filters[i].kind->name();
      const config::FilterUse* own = route.FindFilter(name);
      if (own == nullptr) {
        extras.filters.push_back(i);
        continue;
      }
      extras.default_filters = false;
      if (own->off()) continue;
      SLUICE_TRY(AddFilter(*own, StrCat({place, ": filters.", name})));
      extras.filters.push_back(static_cast<uint32_t>(out_->filters.size() - 1));
    }
    if (extras.default_filters) extras.filters = {};
    return {};
  }

  // The loader has made sure that it is there.
  uint32_t IndexOfCluster(std::string_view name) {
    if (clusters_.empty()) {
      for (int i = 0; i < config_.clusters_size(); ++i) {
        clusters_.emplace(config_.clusters(i).name(), static_cast<uint32_t>(i));
      }
    }
    const auto found = clusters_.find(name);
    CHECK(found != clusters_.end());
    return found->second;
  }

  // Of what is shared by all who have the route, in the next configuration and process too.
  LabelPairs LabelsOf(const Route& route) const {
    LabelPairs labels = {{"listener", out_->name}, {"route", RouteKey(route.config())}};
    if (route.host().config() != nullptr) {
      labels.emplace_back("host", std::string(route.host().name()));
    }
    return labels;
  }

  // What is wrong with one cluster is no reason to keep requests from another.
  void AddBreakers(const Route& route, RouteExtras& extras) {
    std::vector<std::string_view> clusters;
    if (!route.config().cluster().empty()) clusters.push_back(route.config().cluster());
    for (const auto& each : route.config().weighted_clusters().clusters()) {
      clusters.push_back(each.name());
    }
    const BreakerSettings settings = ReadBreaker(route.config().breaker());
    const std::string host =
        route.host().config() == nullptr ? "" : StrCat({".hosts.", route.host().name()});
    const std::string place = StrCat(
        {"listeners.", out_->name, host, ".routes.", RouteKey(route.config()), ".clusters."});
    for (const std::string_view cluster : clusters) {
      BreakerName name{StrCat({place, cluster}), LabelsOf(route), BreakerScope::kRoute};
      name.labels.emplace_back("cluster", std::string(cluster));
      extras.breakers.push_back(
          NewBreaker(std::move(name), settings, context_.stats, context_.breakers));
    }
  }

  Result<void> CompileChanges(const std::vector<const config::HeaderChanges*>& configs,
                              std::string_view place, std::vector<const HeaderChanges*>& out) {
    for (const config::HeaderChanges* config : configs) {
      auto known = std::find_if(compiled_.begin(), compiled_.end(),
                                [config](const auto& pair) { return pair.first == config; });
      if (known != compiled_.end()) {
        out.push_back(known->second);
        continue;
      }
      Result<HeaderChanges> changes = HeaderChanges::Compile(*config);
      if (!changes) return FailAt(place, changes.error().detail);
      out_->header_changes.push_back(std::make_unique<const HeaderChanges>(std::move(*changes)));
      out.push_back(out_->header_changes.back().get());
      // Those of a host or listener come again with each route; a route's own do not.
      if (compiled_.size() < 64) compiled_.emplace_back(config, out.back());
    }
    return {};
  }

  const config::Listener& listener_;
  const config::Config& config_;
  LoadContext& context_;
  std::unique_ptr<ListenerSettings> out_;
  std::unordered_map<std::string_view, uint32_t> clusters_;  // filled at the first look
  std::vector<std::pair<const config::HeaderChanges*, const HeaderChanges*>> compiled_;
};

}  // namespace

RouteExtras::RouteExtras() = default;
RouteExtras::RouteExtras(RouteExtras&&) noexcept = default;
RouteExtras::~RouteExtras() = default;

bool RouteExtras::changes_anything() const {
  return std::any_of(changes.begin(), changes.end(), [](const Changes& each) {
    return !each.request.empty() || !each.response.empty();
  });
}

ListenerSettings::ListenerSettings() = default;
ListenerSettings::~ListenerSettings() = default;

Result<std::unique_ptr<const ListenerSettings>> ListenerSettings::Compile(
    const config::Listener& listener, const config::Config& config, LoadContext& context) {
  return Compiler(listener, config, context).Run();
}

}  // namespace sluice
