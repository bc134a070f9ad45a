#include "core/stats/directory.h"

#include <functional>
#include <utility>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/stats/labels.h"
#include "core/stats/layout.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

// Changes take microseconds; who holds the lock for longer is stopped, and is not waited for again
// until it gave it back.
constexpr Nanos kPatience = kSecond;

void CheckNames(uint8_t kind, const Metric& metric, const LabelList& labels) {
  CHECK(IsMetricName(metric.name));
  CHECK(metric.name.ends_with("_total") == (kind == static_cast<uint8_t>(MetricKind::kCounter)));
  for (size_t i = 0; i < labels.size(); ++i) {
    CHECK(IsLabelName(labels[i].name));
    for (size_t j = 0; j < i; ++j) CHECK(labels[j].name != labels[i].name);
  }
}

}  // namespace

StatsDirectory::StatsDirectory(StatsSegment& segment, Warn warn)
    : segment_(segment),
      table_(segment),
      main_row_(segment.main_row()),
      warn_(std::move(warn)),
      patience_(kPatience) {
  if (!warn_) warn_ = [](std::string_view text) { Log(LogLevel::kWarning, "stats", text); };
  // Should their own registrations be dropped.
  dropped_ = main_row_.counter(SeriesId());
  dropped_now_ = main_row_.gauge(SeriesId());
  dropped_ = main_row_.counter(Counter(
      {"sluice_stats_dropped_registrations_total",
       "Times that a series did not fit into the stats directory, of all processes ever."}));
  dropped_now_ = main_row_.gauge(
      Gauge({"sluice_stats_dropped_series",
             "Series of the process that count nowhere, since the stats directory has no room."}));
  page_failures_ = main_row_.counter(
      Counter({"sluice_stats_page_failures_total",
               "Times that shared memory had no page for what was to be counted."}));
}

SeriesId StatsDirectory::Counter(const Metric& metric, const LabelList& labels) {
  return Register(MetricKind::kCounter, metric, labels);
}

SeriesId StatsDirectory::Gauge(const Metric& metric, const LabelList& labels) {
  return Register(MetricKind::kGauge, metric, labels);
}

SeriesId StatsDirectory::Histogram(const Metric& metric, const LabelList& labels) {
  return Register(MetricKind::kHistogram, metric, labels);
}

SeriesId StatsDirectory::Register(MetricKind kind, const Metric& metric, const LabelList& labels) {
  return RegisterKind(static_cast<uint8_t>(kind), metric, labels);
}

SharedWords StatsDirectory::Words(std::string_view name, const LabelList& labels) {
  const SeriesId id = RegisterKind(kStatsWordKind, {name, "", MetricUnit::kNone}, labels);
  StatsCell* const shared = id.dropped() ? nullptr : table_.WordsOf(id);
  if (shared != nullptr) return SharedWords(shared);
  auto& own = own_words_[StrCat({name, "{", CanonicalLabels(labels), "}"})];
  if (own == nullptr) own = std::make_unique<StatsCell[]>(SharedWords::kCount);
  return SharedWords(own.get());
}

std::optional<SharedWords> StatsDirectory::FindWords(std::string_view name,
                                                     const LabelList& labels) {
  const std::string text = CanonicalLabels(labels);
  const auto own = own_words_.find(StrCat({name, "{", text, "}"}));
  if (own != own_words_.end()) return SharedWords(own->second.get());
  const Metric metric = {name, "", MetricUnit::kNone};
  SeriesId id = table_.FindInUse(kStatsWordKind, metric, text);
  if (id.dropped()) {
    const StatsDirectoryHold hold(segment_.memory(), patience_);
    patience_ = hold.held() ? kPatience : 0;
    if (hold.held()) id = table_.Find(kStatsWordKind, metric, text);
  }
  StatsCell* const words = id.dropped() ? nullptr : table_.WordsOf(id);
  return words == nullptr ? std::nullopt : std::optional(SharedWords(words));
}

SharedGauge StatsDirectory::SharedGauge(const Metric& metric, const LabelList& labels) {
  const SeriesId id = Gauge(metric, labels);
  if (StatsCell* cell = main_row_.shared_cell(id); cell != nullptr) {
    return sluice::SharedGauge(cell);
  }
  auto& own = own_gauges_[StrCat({metric.name, "{", CanonicalLabels(labels), "}"})];
  if (own == nullptr) own = std::make_unique<StatsCell>(0);
  return sluice::SharedGauge(own.get());
}

void StatsDirectory::CountPageFailures() {
  const uint64_t failures = segment_.page_failures();
  page_failures_.Inc(failures - counted_page_failures_);
  counted_page_failures_ = failures;
}

SeriesId StatsDirectory::RegisterKind(uint8_t kind, Metric metric, const LabelList& labels) {
  CheckNames(kind, metric, labels);
  const Registered& first =
      registered_.emplace(metric.name, Registered{kind, metric.unit}).first->second;
  CHECK(first.kind == kind);
  metric.unit = first.unit;
  const std::string text = CanonicalLabels(labels);
  const SeriesId known = table_.FindInUse(kind, metric, text);
  if (!known.dropped()) return known;
  const StatsDirectoryHold hold(segment_.memory(), patience_);
  patience_ = hold.held() ? kPatience : 0;
  const uint64_t series = std::hash<std::string>()(StrCat({metric.name, "{", text, "}"}));
  if (!hold.held()) {
    return Drop(kind, metric.name, series, "the stats directory is locked by another process");
  }
  const SeriesId id = table_.FindOrAdd(kind, metric, text);
  if (id.dropped()) return Drop(kind, metric.name, series, "the stats directory is full");
  if (dropped_series_.erase(series) > 0) {
    dropped_now_.Set(static_cast<int64_t>(dropped_series_.size()));
  }
  return id;
}

SeriesId StatsDirectory::Drop(uint8_t kind, std::string_view name, uint64_t series,
                              std::string_view reason) {
  dropped_.Inc();
  dropped_series_.insert(series);
  dropped_now_.Set(static_cast<int64_t>(dropped_series_.size()));
  const bool words = kind == kStatsWordKind;
  if (std::exchange(words ? warned_of_words_ : warned_, true)) return SeriesId();
  if (words) {
    warn_(StrCat({reason, ": what is kept as ", name,
                  " and what follows it is forgotten when this process ends, and no other shares "
                  "it: sluice_stats_dropped_series counts them too"}));
  } else {
    warn_(StrCat({reason, ": a series of ", name, " and what follows it are not counted"}));
  }
  return SeriesId();
}

}  // namespace sluice
