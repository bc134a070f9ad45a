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

void EndpointStates::Fill(std::vector<Endpoint>& endpoints, Nanos now, bool first) {
  for (auto& [text, state] : states_) state.present = false;
  for (Endpoint& endpoint : endpoints) {
    auto [place, is_new] = states_.try_emplace(endpoint.text);
    State& state = place->second;
    if (is_new) {
      state = Begin(endpoint);
      if (!first) state.since = now;
    }
    state.present = true;
    const EndpointFaults faults = FaultsOf(state);
    // One that was only not checked yet was never out.
    if (faults == 0 && (state.faults & ~kUnchecked) != 0) state.since = now;
    state.faults = faults;
    endpoint.id = state.id;
    endpoint.faults = faults;
    endpoint.since = state.since;
    endpoint.session = state.session;
    endpoint.health = state.health;
    endpoint.active = state.active;
    endpoint.connections = state.connections;
    endpoint.breaker = state.breaker;
    endpoint.outliers = state.outliers;
    endpoint.stats = state.stats;
  }
  for (auto each = states_.begin(); each != states_.end();) {
    if (each->second.present) {
      ++each;
      continue;
    }
    End(each->first, each->second);
    each = states_.erase(each);
  }
}

EndpointStates::State EndpointStates::Begin(const Endpoint& endpoint) {
  State state;
  state.id = ++last_id_;
  state.stats = series_.Of(endpoint);
  if (!settings_.session.cookie.empty()) {
    state.session = SessionName(settings_.session.key, cluster_, endpoint.text);
  }
  if (series_.HasOwn(endpoint)) {
    const LabelList labels = {{"cluster", cluster_}, {"endpoint", endpoint.text}};
    TakeOver(state, stats_.Words("endpoint_health", labels));
    if (settings_.feedback().active) {
      state.active = stats_.SharedGauge(
          {"sluice_endpoint_requests_active", "Tries in flight at the endpoint."}, labels);
    }
    if (features_.counts_connections) {
      state.connections = stats_.SharedGauge(
          Metric{"sluice_endpoint_connections_active", "Connections open to the endpoint."}
              .OfMany(),
          labels);
    }
    if (features_.breakers != nullptr) state.breaker = BreakerOf(endpoint.text);
  } else {
    state.own = TakeCells();
    TakeOver(state, SharedWords(state.own->words));
    state.active = SharedGauge(&state.own->active);
    state.connections = SharedGauge(&state.own->connections);
    if (drained_.erase(endpoint.text) > 0) state.health.Set(EndpointFault::kDrained, true);
  }
  if (features_.checks) state.check = state.health.check();
  state.faults = FaultsOf(state);
  return state;
}

// What stands there for ever unless somebody takes it back is only kept if there is somebody. An
// operator takes back what he said himself.
void EndpointStates::TakeOver(State& state, SharedWords words) const {
  state.health = EndpointHealth(words[kHealthWord]);
  if (features_.detects_outliers) {
    state.outliers = OutlierCounts(words);
    // One without the other: a configuration that detected no outliers came in between.
    if (HasFault(state.health.faults(), EndpointFault::kEjected) && state.outliers.ejected())
      return;
    state.outliers.ForgetEjection();
  }
  state.health.Set(EndpointFault::kEjected, false);
}

// While a configuration that detects outliers still serves its last requests, it may eject
// endpoints that are this one's, too.
EndpointFaults EndpointStates::FaultsOf(const State& state) const {
  constexpr auto kEjected = static_cast<EndpointFaults>(EndpointFault::kEjected);
  EndpointFaults faults = state.health.faults();
  if (!features_.detects_outliers) faults &= static_cast<EndpointFaults>(~kEjected);
  return faults | state.check;
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

void EndpointStates::End(const std::string& endpoint, State& state) {
  // Who knows how it is when it returns?
  if (features_.checks) state.health.ForgetCheck();
  if (state.own == nullptr) return;
  if (HasFault(state.health.faults(), EndpointFault::kDrained)) drained_.insert(endpoint);
  spare_.push_back(state.own);
}

void EndpointStates::SetChecked(const std::string& endpoint, bool failed) {
  State& state = states_.at(endpoint);
  state.check = failed ? kFailedCheck : 0;
  state.health.SetChecked(failed);
}

void EndpointStates::ForgetChecks() {
  for (auto& [text, state] : states_) state.health.ForgetCheck();
}

// Those of an endpoint that left may be counted in for a while yet. What is added there is taken
// away again, so they only must not be used before it has been.
EndpointStates::Cells* EndpointStates::TakeCells() {
  const auto idle = std::find_if(spare_.begin(), spare_.end(), [](const Cells* cells) {
    return cells->active.load(std::memory_order_relaxed) == 0 &&
           cells->connections.load(std::memory_order_relaxed) == 0;
  });
  if (idle == spare_.end()) return cells_.emplace_back(std::make_unique<Cells>()).get();
  Cells* const cells = *idle;
  spare_.erase(idle);
  for (StatsCell& word : cells->words) word.store(0, std::memory_order_relaxed);
  return cells;
}

}  // namespace sluice
