#include "core/upstream/cluster.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/config/cluster.pb.h"
#include "core/event/loop.h"
#include "core/stats/directory.h"
#include "core/upstream/balance_reader.h"
#include "core/upstream/breaker/breaker_board.h"
#include "core/upstream/bulkhead/bulkhead_settings.h"
#include "core/upstream/cluster_discovery.h"
#include "core/upstream/dns_name_resolver.h"
#include "core/upstream/endpoint_groups.h"
#include "core/upstream/health/health_checker.h"
#include "core/upstream/health/health_reader.h"
#include "core/upstream/outlier/outlier_detector.h"
#include "core/upstream/outlier/outlier_reader.h"

namespace sluice {
namespace {

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
  settings.balance = ReadBalance(config.balance());
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
  if (config.has_retry_budget()) {
    settings.retry_budget = {config.retry_budget().percent() / 100, config.retry_budget().rate()};
  }
  if (config.has_outlier_detection()) {
    settings.outliers = ReadOutlierDetection(config.outlier_detection());
  }
  return settings;
}

std::unique_ptr<Breaker> NewClusterBreaker(const config::Cluster& config, StatsDirectory& stats,
                                           BreakerBoard* board) {
  if (!config.has_breaker()) return nullptr;
  BreakerName name{
      StrCat({"clusters.", config.name()}), {{"cluster", config.name()}}, BreakerScope::kCluster};
  return NewBreaker(std::move(name), ReadBreaker(config.breaker()), stats, board);
}

}  // namespace

Result<std::unique_ptr<Cluster>> Cluster::Create(const config::Cluster& config, Loop& loop,
                                                 StatsDirectory& stats) {
  return Create(config, loop, stats, nullptr);
}

Result<std::unique_ptr<Cluster>> Cluster::Create(const config::Cluster& config, Loop& loop,
                                                 StatsDirectory& stats,
                                                 std::unique_ptr<NameResolver> resolver,
                                                 BreakerBoard* breakers) {
  Result<EndpointSources> sources = EndpointSources::Create(config);
  if (!sources) return Fail(std::move(sources).error());
  const std::vector<std::string> names = sources->names();
  std::unique_ptr<Cluster> cluster(new Cluster(config, loop, stats, std::move(*sources), breakers));
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
  // What the config gives as addresses stays as it is.
  if (names.empty()) cluster->sources_.reset();
  return cluster;
}

Cluster::Cluster(const config::Cluster& config, Loop& loop, StatsDirectory& stats,
                 EndpointSources sources, BreakerBoard* breakers)
    : loop_(loop),
      settings_(SettingsOf(config)),
      sources_(std::move(sources)),
      breaker_(NewClusterBreaker(config, stats, breakers)),
      states_(stats, settings_.balance, settings_.name,
              {.checks = config.has_health(),
               .detects_outliers = settings_.outliers.has_value(),
               .counts_connections = config.limits().connections_per_endpoint() > 0,
               .breakers = config.breaker().per_endpoint() ? &breaker_->settings() : nullptr,
               .board = breakers}) {
  settings_.breaker = breaker_.get();
  const auto nobody = std::make_shared<EndpointSet>();
  GroupEndpoints(settings_.balance, *nobody, nullptr);
  endpoints_ = nobody;
  const StatsScope scope(stats, {{"cluster", settings_.name}});
  settings_.stats = scope.Group<ClusterStats>();
  settings_.limits =
      ReadLimits(config.has_limits() ? &config.limits() : nullptr, settings_.name, stats);
  settings_.retry_words = stats.Words("retry_budget", {{"cluster", settings_.name}});
  if (config.has_bulkhead()) {
    bulkhead_ = std::make_unique<BulkheadSettings>(config.bulkhead(), stats,
                                                   LabelList{{"cluster", settings_.name}});
    settings_.bulkhead = bulkhead_.get();
  }
  stats_ = scope.Group<DiscoveryStats>().Bind(stats.main_row());
  if (settings_.outliers) {
    const SharedWords words = stats.Words("outlier_detection", {{"cluster", settings_.name}});
    outliers_ =
        std::make_unique<OutlierDetector>(*this, loop, *settings_.outliers, words,
                                          scope.Group<OutlierStats>().Bind(stats.main_row()));
    settings_.outlier_changes = outliers_->changes();
  }
  if (!config.has_health()) return;
  checker_ = std::make_unique<HealthChecker>(
      loop, settings_, ReadHealth(config.health()),
      scope.Group<HealthStats>().Bind(stats.main_row()),
      [this](const HealthChecker::Verdicts& verdicts) { OnVerdicts(verdicts); });
  if (outliers_ == nullptr) return;
  // One that recovered in the eyes of the checks is taken back. Not one that passes them all along:
  // they do not see why it was ejected.
  SubscribeHealth([this](const HealthEvent& event) {
    if (event.changed && event.healthy) outliers_->OnCheckPassed(event.endpoint);
  });
}

Cluster::~Cluster() { CountEndpoints(*endpoints_, -1); }

bool Cluster::resolved() const { return discovery_ == nullptr || discovery_->warm(); }

bool Cluster::warm() const { return resolved() && (checker_ == nullptr || checker_->warm()); }

void Cluster::Start(std::function<void()> changed) {
  CHECK(!changed_);
  changed_ = std::move(changed);
  was_warm_ = warm();
  if (checker_ == nullptr) states_.ForgetChecks(*endpoints_);
  SetChecking(true);
  if (outliers_ != nullptr) outliers_->Start();
  if (discovery_ != nullptr) discovery_->Start();
}

void Cluster::SetChecking(bool on) {
  if (checker_ == nullptr) return;
  on ? checker_->Start() : checker_->Stop();
}

void Cluster::SubscribeHealth(HealthSubscriber subscriber) {
  if (checker_ != nullptr) checker_->Subscribe(std::move(subscriber));
}

std::optional<LastCheck> Cluster::FindCheck(std::string_view endpoint) const {
  const Prober* prober = checker_ == nullptr ? nullptr : checker_->Find(endpoint);
  return prober == nullptr ? std::nullopt : prober->last();
}

void Cluster::OnDiscovered() {
  const bool new_endpoints = UpdateEndpoints();
  if (new_endpoints) stats_.changes.Inc();
  const bool is_warm = warm();
  if (std::exchange(was_warm_, is_warm) != is_warm || new_endpoints) changed_();
}

bool Cluster::UpdateEndpoints() {
  std::vector<Endpoint> endpoints =
      sources_->List([this](std::string_view name) -> const std::vector<Address>& {
        return discovery_->AddressesOf(name);
      });
  if (SameEndpoints(endpoints, endpoints_->endpoints)) return false;
  states_.Adopt(endpoints, *endpoints_, loop_.now());
  Publish(std::move(endpoints));
  if (checker_ != nullptr) checker_->Update(*endpoints_);
  return true;
}

void Cluster::Publish(std::vector<Endpoint> endpoints) {
  const auto set = std::make_shared<EndpointSet>();
  set->endpoints = std::move(endpoints);
  set->version = endpoints_->version + 1;
  states_.Judge(set->endpoints, loop_.now());
  GroupEndpoints(settings_.balance, *set, endpoints_.get());
  CountEndpoints(*endpoints_, -1);
  CountEndpoints(*set, 1);
  endpoints_ = set;
}

void Cluster::SetShown(bool on) {
  if (shown_ == on) return;
  shown_ = true;
  CountEndpoints(*endpoints_, on ? 1 : -1);
  shown_ = on;
}

void Cluster::CountEndpoints(const EndpointSet& set, int64_t sign) {
  if (!shown_) return;
  const auto usable = std::count_if(set.endpoints.begin(), set.endpoints.end(),
                                    [](const Endpoint& endpoint) { return endpoint.usable(); });
  stats_.endpoints.Add(sign * static_cast<int64_t>(set.endpoints.size()));
  stats_.endpoints_usable.Add(sign * static_cast<int64_t>(usable));
  const auto drained = std::count_if(
      set.endpoints.begin(), set.endpoints.end(),
      [](const Endpoint& endpoint) { return HasFault(endpoint.faults, EndpointFault::kDrained); });
  stats_.endpoints_drained.Add(sign * static_cast<int64_t>(drained));
  const auto failed =
      std::count_if(set.endpoints.begin(), set.endpoints.end(), [](const Endpoint& endpoint) {
        return HasFault(endpoint.faults, EndpointFault::kFailedCheck);
      });
  stats_.endpoints_unhealthy.Add(sign * static_cast<int64_t>(failed));
  stats_.priorities_in_panic.Add(sign * static_cast<int64_t>(set.priorities_in_panic));
}

bool Cluster::SetFault(std::string_view endpoint, EndpointFault fault, bool on) {
  if (endpoints_->FindByText(endpoint) == nullptr) return false;
  SetFaults({endpoint}, fault, on);
  return true;
}

// What counts is what the set says: the word may be as it is to be already, by another cluster of
// the name, of the configuration before or after.
void Cluster::SetFaults(const std::vector<std::string_view>& endpoints, EndpointFault fault,
                        bool on) {
  bool changed = false;
  std::vector<Endpoint> next = endpoints_->endpoints;
  for (const std::string_view endpoint : endpoints) {
    const Endpoint* known = endpoints_->FindByText(endpoint);
    if (known == nullptr) continue;
    states_.SetFault(next[endpoints_->IndexOf(*known)], fault, on);
    changed |= HasFault(known->faults, fault) != on;
  }
  if (changed) PublishFaults(std::move(next));
}

void Cluster::OnVerdicts(const HealthChecker::Verdicts& verdicts) {
  bool changed = false;
  std::vector<Endpoint> next = endpoints_->endpoints;
  for (const auto& [endpoint, verdict] : verdicts) {
    const Endpoint* known = endpoints_->FindByText(endpoint);
    CHECK(known != nullptr);
    const bool failed = verdict == HealthVerdict::kUnhealthy;
    states_.SetChecked(next[endpoints_->IndexOf(*known)], failed);
    changed |= HasFault(known->faults, EndpointFault::kUnchecked) ||
               HasFault(known->faults, EndpointFault::kFailedCheck) != failed;
  }
  const bool is_warm = warm();
  const bool warmed = std::exchange(was_warm_, is_warm) != is_warm;
  if (changed) return PublishFaults(std::move(next));
  if (warmed && changed_) changed_();
}

void Cluster::PublishFaults(std::vector<Endpoint> endpoints) {
  Publish(std::move(endpoints));
  stats_.fault_changes.Inc();
  if (changed_) changed_();
}

}  // namespace sluice
