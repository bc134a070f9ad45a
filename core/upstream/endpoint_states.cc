#include "core/upstream/endpoint_states.h"

#include <algorithm>
#include <utility>

#include "core/base/strings.h"
#include "core/stats/directory.h"
#include "core/upstream/breaker/breaker_board.h"
#include "core/upstream/session_name.h"

namespace sluice {
namespace {

constexpr EndpointFaults kUnchecked = static_cast<EndpointFaults>(EndpointFault::kUnchecked);
constexpr EndpointFaults kFailedCheck = static_cast<EndpointFaults>(EndpointFault::kFailedCheck);
constexpr std::string_view kWords = "endpoint_health";
// Which of an endpoint's words is its health; see OutlierCounts for others.
constexpr size_t kHealthWord = 0;

}  // namespace

EndpointStates::EndpointStates(StatsDirectory& stats, const BalanceSettings& settings,
                               std::string cluster, const Features& features)
    : stats_(stats),
      settings_(settings),
      cluster_(std::move(cluster)),
      features_(features),
      series_(StatsScope(stats, {{"cluster", cluster_}})) {}

void EndpointStates::Adopt(std::vector<Endpoint>& endpoints, const EndpointSet& before, Nanos now) {
  std::vector<bool> stays(before.endpoints.size());
  for (Endpoint& endpoint : endpoints) {
    const Endpoint* const known = before.FindByText(endpoint.text);
    if (known == nullptr) {
      Begin(endpoint, now);
      if (!before.endpoints.empty()) endpoint.since = now;
      continue;
    }
    stays[before.IndexOf(*known)] = true;
    endpoint.id = known->id;
    endpoint.faults = known->faults;
    endpoint.check = known->check;
    endpoint.since = known->since;
    endpoint.session = known->session;
    endpoint.health = known->health;
    endpoint.active = known->active;
    endpoint.connections = known->connections;
    endpoint.breaker = known->breaker;
    endpoint.outliers = known->outliers;
    endpoint.stats = known->stats;
  }
  for (size_t i = 0; i < stays.size(); ++i) {
    if (!stays[i]) End(before.endpoints[i], now);
  }
}

void EndpointStates::Judge(std::vector<Endpoint>& endpoints, Nanos now) const {
  for (Endpoint& endpoint : endpoints) {
    // Somebody may have said something since, or nobody could say when it began.
    if (!endpoint.health.has_word()) {
      if (const auto words = stats_.FindWords(kWords, LabelsOf(endpoint))) {
        endpoint.health = EndpointHealth((*words)[kHealthWord]);
      }
    }
    const EndpointFaults faults = FaultsOf(endpoint);
    // One that was only not checked yet was never out.
    if (faults == 0 && (endpoint.faults & ~kUnchecked) != 0) endpoint.since = now;
    endpoint.faults = faults;
  }
}

void EndpointStates::Begin(Endpoint& endpoint, Nanos now) {
  endpoint.id = ++last_id_;
  endpoint.stats = series_.Of(endpoint);
  if (!settings_.session.cookie.empty()) {
    endpoint.session = SessionName(settings_.session.key, cluster_, endpoint.text);
  }
  if (series_.HasOwn(endpoint)) {
    if (const auto words = WordsOf(endpoint)) TakeOver(endpoint, *words);
    if (settings_.feedback().active) {
      endpoint.active = stats_.SharedGauge(
          {"sluice_endpoint_requests_active", "Tries in flight at the endpoint."},
          LabelsOf(endpoint));
    }
    if (features_.counts_connections) {
      endpoint.connections = stats_.SharedGauge(
          Metric{"sluice_endpoint_connections_active", "Connections open to the endpoint."}
              .OfMany(),
          LabelsOf(endpoint));
    }
    if (features_.breakers != nullptr) endpoint.breaker = BreakerOf(endpoint.text);
  } else {
    Cells* const own = own_[endpoint.id] = TakeCells(now);
    TakeOver(endpoint, SharedWords(own->words));
    endpoint.active = SharedGauge(&own->active);
    endpoint.connections = SharedGauge(&own->connections);
    if (drained_.erase(endpoint.text) > 0) endpoint.health.Set(EndpointFault::kDrained, true);
  }
  if (features_.checks) endpoint.check = endpoint.health.check();
  endpoint.faults = FaultsOf(endpoint);
}

std::optional<SharedWords> EndpointStates::WordsOf(const Endpoint& endpoint) {
  if (features_.checks || features_.detects_outliers) {
    return stats_.Words(kWords, LabelsOf(endpoint));
  }
  return stats_.FindWords(kWords, LabelsOf(endpoint));
}

LabelList EndpointStates::LabelsOf(const Endpoint& endpoint) const {
  return {{"cluster", cluster_}, {"endpoint", endpoint.text}};
}

// What stands there for ever unless somebody takes it back is only kept if there is somebody. An
// operator takes back what he said himself.
void EndpointStates::TakeOver(Endpoint& endpoint, SharedWords words) const {
  EndpointHealth& health = endpoint.health;
  health = EndpointHealth(words[kHealthWord]);
  if (features_.detects_outliers) {
    OutlierCounts& outliers = endpoint.outliers;
    outliers = OutlierCounts(words);
    // One without the other: a configuration that detected no outliers came in between.
    if (HasFault(health.faults(), EndpointFault::kEjected) && outliers.ejected()) return;
    outliers.ForgetEjection();
  }
  health.Set(EndpointFault::kEjected, false);
}

// While a configuration that detects outliers still serves its last requests, it may eject
// endpoints that are this one's, too.
EndpointFaults EndpointStates::FaultsOf(const Endpoint& endpoint) const {
  constexpr auto kEjected = static_cast<EndpointFaults>(EndpointFault::kEjected);
  EndpointFaults faults = endpoint.health.faults();
  if (!features_.detects_outliers) faults &= static_cast<EndpointFaults>(~kEjected);
  return faults | endpoint.check;
}

Breaker* EndpointStates::BreakerOf(const std::string& endpoint) {
  std::unique_ptr<Breaker>& breaker = breakers_[endpoint];
  if (breaker == nullptr) {
    BreakerName name{StrCat({"clusters.", cluster_, ".endpoints.", endpoint}),
                     {{"cluster", cluster_}, {"endpoint", endpoint}},
                     BreakerScope::kEndpoint};
    breaker = NewBreaker(std::move(name), *features_.breakers, stats_, features_.board);
  }
  return breaker.get();
}

void EndpointStates::End(const Endpoint& endpoint, Nanos now) {
  // Who knows how it is when it returns?
  EndpointHealth health = endpoint.health;
  if (features_.checks) health.ForgetCheck();
  const auto own = own_.find(endpoint.id);
  if (own == own_.end()) return;
  if (HasFault(health.faults(), EndpointFault::kDrained)) drained_.insert(endpoint.text);
  spare_.push_back({own->second, now});
  own_.erase(own);
}

void EndpointStates::SetFault(Endpoint& endpoint, EndpointFault fault, bool on) {
  if (!endpoint.health.has_word()) {
    endpoint.health = EndpointHealth(stats_.Words(kWords, LabelsOf(endpoint))[kHealthWord]);
  }
  endpoint.health.Set(fault, on);
}

void EndpointStates::SetChecked(Endpoint& endpoint, bool failed) const {
  endpoint.check = failed ? kFailedCheck : 0;
  endpoint.health.SetChecked(failed);
}

void EndpointStates::ForgetChecks(const EndpointSet& endpoints) const {
  for (const Endpoint& endpoint : endpoints.endpoints) {
    EndpointHealth health = endpoint.health;
    health.ForgetCheck();
  }
}

// Tries that were under way when their endpoint left still write there. Where they are counted (by
// the policy, or for a limit of connections), the last of them has ended before the cells are used
// again; elsewhere one that takes over a minute is counted for another endpoint.
EndpointStates::Cells* EndpointStates::TakeCells(Nanos now) {
  const auto idle = std::find_if(spare_.begin(), spare_.end(), [now](const Spare& spare) {
    return now - spare.since >= kRest && spare.cells->active.load(std::memory_order_relaxed) == 0 &&
           spare.cells->connections.load(std::memory_order_relaxed) == 0;
  });
  if (idle == spare_.end()) return cells_.emplace_back(std::make_unique<Cells>()).get();
  Cells* const cells = idle->cells;
  spare_.erase(idle);
  for (StatsCell& word : cells->words) word.store(0, std::memory_order_relaxed);
  return cells;
}

}  // namespace sluice
