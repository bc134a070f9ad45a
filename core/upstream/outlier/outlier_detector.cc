#include "core/upstream/outlier/outlier_detector.h"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/config/units.h"
#include "core/event/loop.h"
#include "core/upstream/cluster.h"

namespace sluice {
namespace {

constexpr Nanos kNever = std::numeric_limits<Nanos>::max();

std::string Percent(double percent) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f%%", percent);
  return text;
}

std::string Latency(double nanoseconds) {
  const auto micros = static_cast<Nanos>(nanoseconds) / kMicrosecond;
  return FormatDuration(micros * kMicrosecond);
}

std::string WhyOf(EjectionCause cause, const OutlierSettings& settings) {
  switch (cause) {
    case EjectionCause::kConsecutiveLocalOriginFailure:
      return StrCat({Decimal(settings.consecutive_local_origin_failure),
                     " consecutive failed connects, resets or time-outs"});
    case EjectionCause::kConsecutiveGatewayFailure:
      return StrCat(
          {Decimal(settings.consecutive_gateway_failure), " consecutive gateway failures"});
    default:
      return StrCat({Decimal(settings.consecutive_5xx), " consecutive 5xx"});
  }
}

std::string WhyOf(const Outlier& outlier, const OutlierSettings& settings) {
  switch (outlier.cause) {
    case EjectionCause::kSuccessRate:
      return StrCat({"its success rate of ", Percent(100 * outlier.value), " is below ",
                     Percent(100 * outlier.bound)});
    case EjectionCause::kFailurePercentage:
      return StrCat({Percent(outlier.value), " of its requests failed"});
    default:
      return StrCat({"its latency of ", Latency(outlier.value), " is beyond the others' ",
                     Latency(outlier.bound / settings.latency_factor)});
  }
}

// But for outlier detection.
bool IsUsable(const Endpoint& endpoint) {
  return (endpoint.faults & ~static_cast<EndpointFaults>(EndpointFault::kEjected)) == 0;
}

// For people: an ejection's length, of which jitter is the last digits.
std::string Rounded(Nanos time) {
  return FormatDuration(time < kMillisecond ? time : time / kMillisecond * kMillisecond);
}

}  // namespace

OutlierDetector::OutlierDetector(Cluster& cluster, Loop& loop, const OutlierSettings& settings,
                                 SharedWords words, const OutlierStats& stats)
    : cluster_(cluster),
      loop_(loop),
      settings_(settings),
      words_(words),
      stats_(stats),
      timer_(loop, Callback::To<&OutlierDetector::Look>(this)) {}

OutlierDetector::~OutlierDetector() { stats_.ejected.Add(-ejected_); }

void OutlierDetector::Start() { timer_.Start(std::min(kLookEvery, settings_.interval)); }

void OutlierDetector::Look() {
  Start();
  const bool sweep = TakeSweep();
  const uint64_t changes = words_[kChanges].Load();
  const EndpointSetPtr set = cluster_.endpoints();
  if (!sweep && changes == seen_changes_ && set->version == seen_version_ &&
      loop_.now() < next_return_) {
    return;
  }
  seen_changes_ = changes;
  ReturnThoseDue(*set);
  Tally tally = Count(*set);
  EjectTriggered(*set, tally);
  if (sweep) Sweep(*set, tally);
  Publish();
}

bool OutlierDetector::TakeSweep() {
  SharedWord word = words_[kNextSweep];
  const Nanos now = loop_.now();
  const auto next = static_cast<uint64_t>(now + settings_.interval);
  uint64_t due = word.Load();
  // The first time, or the interval was longer before.
  if (due == 0 || due > next) {
    word.CompareExchange(due, next);
    return false;
  }
  return static_cast<Nanos>(due) <= now && word.CompareExchange(due, next);
}

void OutlierDetector::ReturnThoseDue(const EndpointSet& set) {
  for (const Endpoint& endpoint : set.endpoints) {
    const Nanos until = endpoint.outliers.ejected_until();
    if (until != 0 && until <= loop_.now()) Return(endpoint, "its time is over");
  }
}

OutlierDetector::Tally OutlierDetector::Count(const EndpointSet& set) {
  Tally tally;
  tally.endpoints = set.endpoints.size();
  for (const Endpoint& endpoint : set.endpoints) {
    const bool ejected = endpoint.outliers.ejected();
    if (ejected) ++tally.ejected;
    if (!ejected && IsUsable(endpoint)) ++tally.usable;
  }
  return tally;
}

void OutlierDetector::EjectTriggered(const EndpointSet& set, Tally& tally) {
  for (const Endpoint& endpoint : set.endpoints) {
    OutlierCounts counts = endpoint.outliers;
    const EjectionCauses causes = counts.TakeTriggered();
    if (causes == 0) continue;
    size_t first = 0;
    while ((causes & CausesOf(static_cast<EjectionCause>(first))) == 0) ++first;
    const auto cause = static_cast<EjectionCause>(first);
    Eject(endpoint, cause, WhyOf(cause, settings_), tally);
  }
}

void OutlierDetector::Sweep(const EndpointSet& set, Tally& tally) {
  std::vector<OutlierFigures> figures;
  for (const Endpoint& endpoint : set.endpoints) {
    OutlierCounts counts = endpoint.outliers;
    const OutlierInterval interval = counts.TakeInterval();
    if (counts.ejected()) {
      figures.emplace_back();
      continue;
    }
    // An interval without an ejection takes one back.
    if (counts.ejections() > 0 && loop_.now() - counts.returned_at() >= settings_.interval) {
      counts.set_ejections(counts.ejections() - 1);
    }
    if (interval.latencies > 0 && interval.requests >= settings_.min_requests) {
      counts.set_average_latency(AverageLatency(
          counts.average_latency(), static_cast<Nanos>(interval.latency / interval.latencies)));
    }
    figures.push_back({interval.requests, interval.successes, counts.average_latency()});
  }
  for (const Outlier& outlier : FindOutliers(settings_, figures)) {
    Eject(set.endpoints[outlier.index], outlier.cause, WhyOf(outlier, settings_), tally);
  }
}

void OutlierDetector::Eject(const Endpoint& endpoint, EjectionCause cause, std::string_view why,
                            Tally& tally) {
  OutlierCounts counts = endpoint.outliers;
  if (counts.ejected()) return;
  const size_t others = tally.usable - (IsUsable(endpoint) ? 1 : 0);
  if (!MayEject(settings_, tally.endpoints, tally.ejected, others)) {
    stats_.refused.Inc();
    if (LogEnabled(LogLevel::kDebug, "outlier")) {
      Log(LogLevel::kDebug, "outlier",
          StrCat({NameOf(endpoint), " is not ejected, too many are: ", why}));
    }
    return;
  }
  const uint64_t ejection = NextEjection(settings_, counts.ejections());
  const Nanos time = EjectionTime(settings_, ejection, random_);
  if (!counts.Eject(loop_.now() + time, ejection)) return;
  ++tally.ejected;
  tally.usable = others;
  stats_.ejections[static_cast<size_t>(cause)].Inc();
  Log(LogLevel::kWarning, "outlier",
      StrCat({NameOf(endpoint), " is ejected for ", Rounded(time), ": ", why}));
}

void OutlierDetector::Return(const Endpoint& endpoint, std::string_view why) {
  OutlierCounts counts = endpoint.outliers;
  if (!counts.Return(loop_.now())) return;
  Log(LogLevel::kInfo, "outlier", StrCat({NameOf(endpoint), " is back: ", why}));
}

void OutlierDetector::OnCheckPassed(std::string_view endpoint) {
  const EndpointSetPtr set = cluster_.endpoints();
  const Endpoint* known = set->FindByText(endpoint);
  if (known == nullptr || !known->outliers.ejected()) return;
  Return(*known, "a check has passed");
  Publish();
}

void OutlierDetector::Publish() {
  const EndpointSetPtr set = cluster_.endpoints();
  std::vector<std::string_view> out;
  std::vector<std::string_view> back;
  int64_t ejected = 0;
  next_return_ = kNever;
  for (const Endpoint& endpoint : set->endpoints) {
    const Nanos until = endpoint.outliers.ejected_until();
    const bool is_out = until != 0;
    if (is_out) {
      ++ejected;
      next_return_ = std::min(next_return_, until);
    }
    if (is_out == HasFault(endpoint.faults, EndpointFault::kEjected)) continue;
    (is_out ? out : back).push_back(endpoint.text);
  }
  stats_.ejected.Add(ejected - ejected_);
  ejected_ = ejected;
  // The others with these words are to look, too.
  if (!out.empty() || !back.empty()) seen_changes_ = words_[kChanges].FetchAdd(1) + 1;
  if (!out.empty()) cluster_.SetFaults(out, EndpointFault::kEjected, true);
  if (!back.empty()) cluster_.SetFaults(back, EndpointFault::kEjected, false);
  seen_version_ = cluster_.endpoints()->version;
}

std::string OutlierDetector::NameOf(const Endpoint& endpoint) const {
  return StrCat({"clusters.", cluster_.settings().name, " ", endpoint.text});
}

}  // namespace sluice
