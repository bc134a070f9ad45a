#include "core/upstream/breaker/breaker_board.h"

#include <algorithm>
#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/config/units.h"

namespace sluice {
namespace {

// Their metrics and words, by scope.
struct ScopeNames {
  std::string_view words;
  std::string_view state;
  std::string_view transitions;
};
constexpr ScopeNames kNames[] = {
    {"breaker", "sluice_upstream_breaker_state", "sluice_upstream_breaker_transitions_total"},
    {"route_breaker", "sluice_route_breaker_state", "sluice_route_breaker_transitions_total"},
    {"endpoint_breaker", "sluice_endpoint_breaker_state",
     "sluice_endpoint_breaker_transitions_total"},
};

const ScopeNames& NamesOf(const BreakerName& name) {
  return kNames[static_cast<size_t>(name.scope)];
}

Metric RankedMetric(const BreakerName& name, Metric metric) {
  return name.scope == BreakerScope::kCluster ? metric : metric.OfMany();
}

LabelList LabelsOf(const BreakerName& name) {
  LabelList labels;
  for (const auto& [label, value] : name.labels) labels.push_back({label, value});
  return labels;
}

std::string CountText(uint32_t count, std::string_view what) {
  return StrCat({Decimal(count), " ", what, count == 1 ? "" : "s"});
}

std::string ShareText(uint32_t part, const BreakerCounts& counts) {
  const uint32_t percent = counts.calls == 0 ? 0 : part * 100 / counts.calls;
  return StrCat({Decimal(percent), "% of ", CountText(counts.calls, "call")});
}

// In steps that are of interest: 4.837s is 4.8s.
std::string TimeText(Nanos time) {
  const Nanos step = time > 10 * kSecond ? kSecond : time > kSecond ? kSecond / 10 : kMillisecond;
  return FormatDuration((time + step / 2) / step * step);
}

std::string WhyOpen(const Breaker& breaker, const BreakerTransition& transition) {
  const BreakerCounts& counts = transition.counts;
  switch (transition.state.reason) {
    case BreakerReason::kFailures:
      return StrCat({ShareText(counts.failures, counts), " failed"});
    case BreakerReason::kSlow:
      return StrCat({ShareText(counts.slow, counts), " were slow"});
    case BreakerReason::kConsecutive:
      return StrCat(
          {CountText(breaker.settings().consecutive_failures, "call"), " failed in a row"});
    case BreakerReason::kProbeTimeout:
      return StrCat(
          {"probes had no result for ", FormatDuration(breaker.settings().probe_timeout)});
    default:
      return "an operator says so";
  }
}

}  // namespace

std::string TextOf(const Breaker& breaker, const BreakerTransition& transition) {
  const std::string name =
      StrCat({breaker.name().text, breaker.metrics_only() ? " (metrics only)" : ""});
  switch (transition.state.mode) {
    case BreakerMode::kOpen:
      return StrCat(
          {name, " is open for ", TimeText(transition.lasts), ": ", WhyOpen(breaker, transition)});
    case BreakerMode::kHalfOpen:
      return StrCat({name, " is half open: ", CountText(breaker.settings().probes, "call"),
                     " may pass and decide"});
    case BreakerMode::kForcedOpen:
      return StrCat({name, " is open until an operator says otherwise"});
    case BreakerMode::kDisabled:
      return StrCat({name, " is disabled until an operator says otherwise"});
    case BreakerMode::kClosed:
      break;
  }
  if (transition.state.reason == BreakerReason::kForced) {
    return StrCat({name, " is closed, an operator says so"});
  }
  std::string text = StrCat({name, " is closed"});
  if (transition.lasts > 0) {
    text += StrCat({"; all calls pass in ", FormatDuration(transition.lasts)});
  }
  return text;
}

std::unique_ptr<Breaker> NewBreaker(BreakerName name, const BreakerSettings& settings,
                                    StatsDirectory& stats, BreakerBoard* board) {
  const SharedWords words = stats.Words(NamesOf(name).words, LabelsOf(name));
  return std::make_unique<Breaker>(std::move(name), settings, words, board);
}

BreakerBoard::BreakerBoard(Loop& loop, StatsDirectory& stats)
    : loop_(loop), stats_(stats), refresh_(Callback::To<&BreakerBoard::Refresh>(this)) {}

BreakerBoard::~BreakerBoard() = default;

void BreakerBoard::OnMade(Breaker& breaker) {
  const BreakerName& name = breaker.name();
  Metric metric{NamesOf(name).state,
                "What a breaker does: 0 closed, 1 half open, 2 open, 3 forced open, 4 disabled.",
                MetricUnit::kNone, GaugeOf::kLatestProcess};
  Entry entry{&breaker,
              stats_.main_row().gauge(stats_.Gauge(RankedMetric(name, metric), LabelsOf(name)))};
  // From zero on, so that the first of them is an increase.
  for (int to = 0; to < kBreakerModes; ++to) Transitions(name, static_cast<BreakerMode>(to));
  const BreakerMode mode = breaker.state().mode;
  entry.state.Set(static_cast<int64_t>(mode));
  entries_.emplace(&breaker, entry);
  const bool forced = mode == BreakerMode::kForcedOpen || mode == BreakerMode::kDisabled;
  if (!forced && !breaker.metrics_only()) return;
  Log(LogLevel::kWarning, "breaker",
      StrCat({name.text, " is ", breaker.metrics_only() ? "metrics_only" : NameOf(mode),
              " still: POST /breakers?name=", name.text, "&state=auto takes it back"}));
}

void BreakerBoard::OnGone(const Breaker& breaker) {
  const auto gone = entries_.find(&breaker);
  gone->second.state.Set(0);
  entries_.erase(gone);
  loop_.Defer(refresh_);  // another may have its name; many may go at once
}

void BreakerBoard::OnTransition(const Breaker& breaker, const BreakerTransition& transition) {
  // By value: the breaker may be gone when the main thread comes to it.
  loop_.Post([this, name = breaker.name(), transition, text = TextOf(breaker, transition)] {
    Tell(name, transition, text);
  });
}

void BreakerBoard::Tell(const BreakerName& name, const BreakerTransition& transition,
                        const std::string& text) {
  const BreakerMode mode = transition.state.mode;
  const bool bad = mode == BreakerMode::kOpen || mode == BreakerMode::kForcedOpen;
  Log(bad ? LogLevel::kWarning : LogLevel::kInfo, "breaker", text);
  transitions_.push_back({loop_.wall(), text});
  if (transitions_.size() > kKept) transitions_.pop_front();
  Transitions(name, mode).Inc();
  Refresh();
}

Counter BreakerBoard::Transitions(const BreakerName& name, BreakerMode to) {
  LabelList labels = LabelsOf(name);
  labels.push_back({"to", NameOf(to)});
  const Metric metric{NamesOf(name).transitions, "Times that a breaker came to a state."};
  return stats_.main_row().counter(stats_.Counter(RankedMetric(name, metric), labels));
}

std::vector<BreakerBoard::Row> BreakerBoard::Rows() const {
  std::vector<Row> rows;
  for (const auto& [breaker, entry] : entries_) {
    rows.push_back(
        {breaker, breaker->state(), breaker->counts(loop_.now()), breaker->Left(loop_.now())});
  }
  const auto name_of = [](const Row& row) -> const std::string& {
    return row.breaker->name().text;
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&name_of](const Row& a, const Row& b) { return name_of(a) < name_of(b); });
  // While a reload is under way there may be two of a name, with the same words.
  rows.erase(
      std::unique(rows.begin(), rows.end(),
                  [&name_of](const Row& a, const Row& b) { return name_of(a) == name_of(b); }),
      rows.end());
  return rows;
}

void BreakerBoard::Refresh() {
  for (auto& [breaker, entry] : entries_) {
    entry.state.Set(static_cast<int64_t>(breaker->state().mode));
  }
}

bool BreakerBoard::Force(std::string_view name, BreakerMode mode, bool metrics_only) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [name](const auto& each) {
    return each.first->name().text == name;
  });
  if (found == entries_.end()) return false;
  found->second.breaker->Force(mode, metrics_only);
  return true;
}

}  // namespace sluice
