#include "core/upstream/cluster.h"

#include <utility>

#include "core/base/check.h"
#include "core/config/cluster.pb.h"
#include "core/stats/directory.h"
#include "core/upstream/cluster_discovery.h"
#include "core/upstream/dns_name_resolver.h"

namespace sluice {
namespace {

BalancePolicy PolicyOf(config::Cluster::Balance balance) {
  return balance == config::Cluster::RANDOM ? BalancePolicy::kRandom : BalancePolicy::kRoundRobin;
}

ProxyProtocolVersion VersionOf(config::Cluster::ProxyProtocol version) {
  switch (version) {
    case config::Cluster::V1:
      return ProxyProtocolVersion::kV1;
    case config::Cluster::V2:
      return ProxyProtocolVersion::kV2;
    default:
      return ProxyProtocolVersion::kOff;
  }
}

DnsFamily FamilyOf(config::Dns::Family family) {
  switch (family) {
    case config::Dns::V4:
      return DnsFamily::kV4;
    case config::Dns::V6:
      return DnsFamily::kV6;
    case config::Dns::ALL:
      return DnsFamily::kAll;
    default:
      return DnsFamily::kAuto;
  }
}

// The loader has filled in the defaults; a message that is not there keeps those of the struct.
ClusterSettings SettingsOf(const config::Cluster& config) {
  ClusterSettings settings;
  settings.name = config.name();
  settings.balance = PolicyOf(config.balance());
  settings.proxy_protocol = VersionOf(config.proxy_protocol());
  if (config.connect_timeout() > 0) settings.connect_timeout = config.connect_timeout();
  if (config.has_pool()) {
    const config::Pool& pool = config.pool();
    settings.pool = {pool.idle(), pool.idle_timeout(), pool.max_age(), pool.max_requests()};
  }
  if (config.has_limits()) {
    settings.codec.head_size = static_cast<uint32_t>(config.limits().head_size());
    settings.codec.header_count = config.limits().header_count();
  }
  return settings;
}

}  // namespace

Result<std::unique_ptr<Cluster>> Cluster::Create(const config::Cluster& config, Loop& loop,
                                                 StatsDirectory& stats) {
  return Create(config, loop, stats, nullptr);
}

Result<std::unique_ptr<Cluster>> Cluster::Create(const config::Cluster& config, Loop& loop,
                                                 StatsDirectory& stats,
                                                 std::unique_ptr<NameResolver> resolver) {
  Result<EndpointSources> sources = EndpointSources::Create(config);
  if (!sources) return Fail(std::move(sources).error());
  const std::vector<std::string> names = sources->names();
  std::unique_ptr<Cluster> cluster(new Cluster(config, stats, std::move(*sources)));
  if (!names.empty()) {
    if (resolver == nullptr) {
      Result<std::unique_ptr<NameResolver>> dns = DnsNameResolver::Create(loop, config.dns());
      if (!dns) return Fail(std::move(dns).error());
      resolver = std::move(*dns);
    }
    const DiscoverySettings settings{config.dns().refresh(), FamilyOf(config.dns().family())};
    cluster->discovery_ = std::make_unique<ClusterDiscovery>(
        loop, std::move(resolver), settings, cluster->stats_, names,
        Callback::To<&Cluster::OnDiscovered>(cluster.get()));
  }
  cluster->UpdateEndpoints();
  return cluster;
}

Cluster::Cluster(const config::Cluster& config, StatsDirectory& stats, EndpointSources sources)
    : settings_(SettingsOf(config)),
      sources_(std::move(sources)),
      series_(StatsScope(stats, {{"cluster", settings_.name}}), settings_.name, stats),
      endpoints_(std::make_shared<EndpointSet>()) {
  const StatsScope scope(stats, {{"cluster", settings_.name}});
  settings_.stats = scope.Group<ClusterStats>();
  stats_ = scope.Group<DiscoveryStats>().Bind(stats.main_row());
}

Cluster::~Cluster() {
  stats_.endpoints.Sub(static_cast<int64_t>(endpoints_->endpoints.size()));
  stats_.drained.Sub(static_cast<int64_t>(endpoints_->drained.size()));
}

bool Cluster::warm() const { return discovery_ == nullptr || discovery_->warm(); }

void Cluster::Start(std::function<void()> changed) {
  CHECK(!changed_);
  changed_ = std::move(changed);
  was_warm_ = warm();
  if (discovery_ != nullptr) discovery_->Start();
}

void Cluster::OnDiscovered() {
  const bool new_endpoints = UpdateEndpoints();
  if (new_endpoints) stats_.changes.Inc();
  const bool is_warm = warm();
  if (std::exchange(was_warm_, is_warm) != is_warm || new_endpoints) changed_();
}

bool Cluster::SetDrained(std::string_view address, bool drained) {
  for (const auto* list : {&endpoints_->endpoints, &endpoints_->drained}) {
    for (const Endpoint& endpoint : *list) {
      if (endpoint.text != address) continue;
      series_.set_drained(endpoint, drained);
      if (UpdateEndpoints() && changed_) changed_();
      return true;
    }
  }
  return false;
}

bool Cluster::UpdateEndpoints() {
  std::vector<Endpoint> endpoints =
      sources_.List([this](std::string_view name) -> const std::vector<Address>& {
        return discovery_->AddressesOf(name);
      });
  const auto set = std::make_shared<EndpointSet>();
  for (Endpoint& endpoint : endpoints) {
    (series_.drained(endpoint) ? set->drained : set->endpoints).push_back(std::move(endpoint));
  }
  if (SameEndpoints(set->endpoints, endpoints_->endpoints) &&
      SameEndpoints(set->drained, endpoints_->drained)) {
    return false;
  }
  set->version = endpoints_->version + 1;
  for (Endpoint& endpoint : set->endpoints) {
    endpoint.stats = series_.Of(endpoint);
    set->total_weight += endpoint.weight;
  }
  for (Endpoint& endpoint : set->drained) endpoint.stats = series_.Of(endpoint);
  // Its share of the gauges: while two generations of the configuration live, both have one.
  stats_.endpoints.Add(static_cast<int64_t>(set->endpoints.size()) -
                       static_cast<int64_t>(endpoints_->endpoints.size()));
  stats_.drained.Add(static_cast<int64_t>(set->drained.size()) -
                     static_cast<int64_t>(endpoints_->drained.size()));
  endpoints_ = set;
  return true;
}

}  // namespace sluice
