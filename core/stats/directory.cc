#include "core/stats/directory.h"

#include <cstring>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/stats/labels.h"
#include "core/stats/layout.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

std::string_view TextOf(const StatsSegmentHeader& header, const StatsText& text) {
  return {StatsAt<char>(header, header.text_offset) + text.offset, text.length};
}

uint64_t HashOf(uint32_t family, std::string_view labels) {
  return std::hash<std::string_view>()(labels) ^ (family * uint64_t{0x9E3779B97F4A7C15});
}

void CheckNames(MetricKind kind, const Metric& metric, const LabelList& labels) {
  CHECK(IsMetricName(metric.name));
  CHECK(metric.name.ends_with("_total") == (kind == MetricKind::kCounter));
  for (size_t i = 0; i < labels.size(); ++i) {
    CHECK(IsLabelName(labels[i].name));
    for (size_t j = 0; j < i; ++j) CHECK(labels[j].name != labels[i].name);
  }
}

}  // namespace

StatsDirectory::StatsDirectory(StatsSegment& segment, Warn warn)
    : header_(segment.header()), main_row_(segment.main_row()), warn_(std::move(warn)) {
  if (!warn_) warn_ = [](std::string_view text) { Log(LogLevel::kWarning, "stats", text); };
  const uint32_t families = header_.family_count.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < families; ++i) {
    families_.emplace(TextOf(header_, FamiliesOf(header_)[i].name), i);
  }
  const uint32_t series = header_.series_count.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < series; ++i) {
    const StatsSeriesEntry& entry = SeriesOf(header_)[i];
    series_.emplace(HashOf(entry.family, TextOf(header_, entry.labels)), i);
  }
  dropped_ = main_row_.counter(SeriesId());  // should its own registration be dropped
  dropped_ = main_row_.counter(
      Counter({"sluice_stats_dropped_registrations_total",
               "Series that did not fit into the stats directory, and count nowhere."}));
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
  CheckNames(kind, metric, labels);
  const uint32_t family = FindOrAddFamily(kind, metric);
  if (family == kFull) return Drop(metric.name);
  CHECK(FamiliesOf(header_)[family].kind == kind);

  const std::string text = CanonicalLabels(labels);
  const auto [begin, end] = series_.equal_range(HashOf(family, text));
  for (auto it = begin; it != end; ++it) {
    const StatsSeriesEntry& entry = SeriesOf(header_)[it->second];
    if (entry.family == family && TextOf(header_, entry.labels) == text) {
      return SeriesId(it->second);
    }
  }
  const SeriesId id = AddSeries(kind, family, text);
  return id.dropped() ? Drop(metric.name) : id;
}

uint32_t StatsDirectory::FindOrAddFamily(MetricKind kind, const Metric& metric) {
  const auto found = families_.find(metric.name);
  if (found != families_.end()) return found->second;
  const uint32_t index = header_.family_count.load(std::memory_order_relaxed);
  if (index == header_.max_families || !HasText(metric.name.size() + metric.help.size())) {
    return kFull;
  }
  StatsFamilyEntry& entry = FamiliesOf(header_)[index];
  entry.name = AddText(metric.name);
  entry.help = AddText(metric.help);
  entry.kind = kind;
  entry.unit = metric.unit;
  families_.emplace(TextOf(header_, entry.name), index);
  header_.family_count.store(index + 1, std::memory_order_release);
  return index;
}

SeriesId StatsDirectory::AddSeries(MetricKind kind, uint32_t family, std::string_view labels) {
  const uint32_t index = header_.series_count.load(std::memory_order_relaxed);
  const bool histogram = kind == MetricKind::kHistogram;
  if (index == header_.max_series || !HasText(labels.size()) ||
      (histogram && header_.histograms_used == header_.max_histograms)) {
    return SeriesId();
  }
  StatsSeriesEntry& entry = SeriesOf(header_)[index];
  entry.labels = AddText(labels);
  entry.family = family;
  entry.cell = histogram ? header_.histograms_used++ : header_.scalars_used++;
  series_.emplace(HashOf(family, labels), index);
  header_.series_count.store(index + 1, std::memory_order_release);
  return SeriesId(index);
}

SeriesId StatsDirectory::Drop(std::string_view name) {
  dropped_.Inc();
  if (!warned_) {
    warned_ = true;
    warn_("the stats directory is full: a series of " + std::string(name) +
          " and what follows it are not counted");
  }
  return SeriesId();
}

bool StatsDirectory::HasText(size_t size) const {
  return size <= header_.text_size - header_.text_used;
}

StatsText StatsDirectory::AddText(std::string_view text) {
  const StatsText placed{header_.text_used, static_cast<uint32_t>(text.size())};
  std::memcpy(StatsAt<char>(header_, header_.text_offset) + placed.offset, text.data(),
              text.size());
  header_.text_used += placed.length;
  return placed;
}

}  // namespace sluice
