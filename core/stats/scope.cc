#include "core/stats/scope.h"

#include "core/base/check.h"
#include "core/stats/directory.h"

namespace sluice {

void MetricTable::Add(Counter& handle, const Metric& metric, const LabelList& labels) {
  const SeriesId id = Next(MetricKind::kCounter, metric, labels);
  if (row_ != nullptr) handle = row_->counter(id);
}

void MetricTable::Add(Gauge& handle, const Metric& metric, const LabelList& labels) {
  const SeriesId id = Next(MetricKind::kGauge, metric, labels);
  if (row_ != nullptr) handle = row_->gauge(id);
}

void MetricTable::Add(Histogram& handle, const Metric& metric, const LabelList& labels) {
  const SeriesId id = Next(MetricKind::kHistogram, metric, labels);
  if (row_ != nullptr) handle = row_->histogram(id);
}

SeriesId MetricTable::Next(MetricKind kind, const Metric& metric, const LabelList& labels) {
  if (row_ == nullptr) return ids_->emplace_back(scope_->Register(kind, metric, labels));
  CHECK(next_ < bound_->size());
  return (*bound_)[next_++];
}

StatsScope::StatsScope(StatsDirectory& directory, const LabelList& labels)
    : directory_(&directory) {
  for (const Label& label : labels) labels_.emplace_back(label.name, label.value);
}

StatsScope StatsScope::With(const LabelList& labels) const {
  StatsScope scope = *this;
  for (const Label& label : labels) scope.labels_.emplace_back(label.name, label.value);
  return scope;
}

SeriesId StatsScope::Register(MetricKind kind, const Metric& metric,
                              const LabelList& labels) const {
  LabelList all = labels;
  for (const auto& [name, value] : labels_) all.push_back({name, value});
  return directory_->Register(kind, metric, all);
}

}  // namespace sluice
