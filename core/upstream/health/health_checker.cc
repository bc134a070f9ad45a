#include "core/upstream/health/health_checker.h"

#include <algorithm>
#include <unordered_set>

#include "core/upstream/cluster.h"
#include "core/upstream/endpoint.h"
#include "core/upstream/health/health_log.h"

namespace sluice {
namespace {

HealthVerdict VerdictOf(const Endpoint& endpoint) {
  if (HasFault(endpoint.faults, EndpointFault::kUnchecked)) return HealthVerdict::kUnknown;
  return HasFault(endpoint.faults, EndpointFault::kFailedCheck) ? HealthVerdict::kUnhealthy
                                                                : HealthVerdict::kHealthy;
}

}  // namespace

HealthChecker::HealthChecker(Loop& loop, const ClusterSettings& cluster, HealthSettings settings,
                             const HealthStats& stats, Publish publish)
    : loop_(loop),
      cluster_(cluster),
      settings_(std::move(settings)),
      stats_(stats),
      publish_(std::move(publish)),
      context_{{loop_, cluster_, settings_}, random_, stats_, *this},
      tell_(Callback::To<&HealthChecker::Tell>(this)) {
  Subscribe(HealthLog(cluster_.name, stats_));
}

void HealthChecker::Update(const EndpointSet& set) {
  std::unordered_set<std::string_view> present;
  std::vector<Prober*> added;
  for (const Endpoint& endpoint : set.endpoints) {
    present.insert(endpoint.text);
    std::unique_ptr<Prober>& prober = probers_[endpoint.text];
    if (prober != nullptr) {
      prober->SetHost(endpoint);
      continue;
    }
    prober = std::make_unique<Prober>(context_, endpoint, VerdictOf(endpoint));
    added.push_back(prober.get());
  }
  for (auto each = probers_.begin(); each != probers_.end();) {
    if (present.count(each->first) > 0) {
      ++each;
      continue;
    }
    if (started_ && !each->second->answered()) OnAnswered();
    each = probers_.erase(each);
  }
  if (!started_) return;
  for (Prober* prober : added) StartProber(*prober, added.size());
}

void HealthChecker::Start() {
  if (std::exchange(started_, true)) return;
  for (const auto& [endpoint, prober] : probers_) StartProber(*prober, probers_.size());
}

void HealthChecker::Stop() {
  if (!std::exchange(started_, false)) return;
  for (const auto& [endpoint, prober] : probers_) prober->Stop();
  unanswered_ = 0;
}

void HealthChecker::StartProber(Prober& prober, size_t together) {
  ++unanswered_;
  const Nanos spread = std::max(kFirstChecks, static_cast<Nanos>(together) * kBetweenFirst);
  prober.Start(static_cast<Nanos>(static_cast<double>(spread) * random_.Fraction()));
}

const Prober* HealthChecker::Find(std::string_view endpoint) const {
  const auto found = probers_.find(std::string(endpoint));
  return found == probers_.end() ? nullptr : found->second.get();
}

void HealthChecker::OnChecked(Prober& prober) {
  prober.Unlink();
  told_.PushBack(prober);
  loop_.DeferToNextTurn(tell_);
}

void HealthChecker::OnAnswered() {
  --unanswered_;
  loop_.DeferToNextTurn(tell_);
}

void HealthChecker::Tell() {
  Verdicts verdicts;
  while (!told_.empty()) TellOf(told_.front(), verdicts);
  const bool round_ends = first_round_ && started_ && unanswered_ == 0 && !probers_.empty();
  if (round_ends) {
    first_round_ = false;
    verdicts.clear();
    for (const auto& [endpoint, prober] : probers_) {
      const HealthVerdict verdict = prober->state().verdict();
      if (verdict != HealthVerdict::kUnknown) verdicts.emplace_back(endpoint, verdict);
    }
  }
  if (round_ends || !verdicts.empty()) publish_(verdicts);
}

void HealthChecker::TellOf(Prober& prober, Verdicts& verdicts) {
  prober.Unlink();
  const HealthState& state = prober.state();
  const std::optional<LastCheck> last = prober.last();
  const HealthVerdict before = prober.TakeTold();
  HealthEvent event;
  event.endpoint = prober.endpoint();
  event.success = last->success;
  event.reason = last->reason;
  event.in_a_row = state.in_a_row();
  event.healthy = state.verdict() == HealthVerdict::kHealthy;
  event.changed = state.verdict() != before;
  event.first = before == HealthVerdict::kUnknown;
  event.at = loop_.now();
  for (const HealthSubscriber& subscriber : subscribers_) subscriber(event);
  if (!event.changed || (first_round_ && event.healthy)) return;
  verdicts.emplace_back(prober.endpoint(), state.verdict());
}

}  // namespace sluice
