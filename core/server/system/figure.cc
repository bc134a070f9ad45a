#include "core/server/system/figure.h"

#include <utility>

#include "core/stats/directory.h"

namespace sluice {

GaugeFigure::GaugeFigure(StatsDirectory& directory, const Metric& metric, LabelList labels)
    : directory_(directory), metric_(metric), labels_(std::move(labels)) {}

void GaugeFigure::Set(std::optional<uint64_t> value) {
  if (!value) return;
  if (!gauge_) gauge_ = directory_.main_row().gauge(directory_.Gauge(metric_, labels_));
  gauge_->Set(static_cast<int64_t>(*value));
}

void GaugeFigure::SetLimit(std::optional<uint64_t> value) {
  if (value || gauge_) Set(value.value_or(0));
}

CounterFigure::CounterFigure(StatsDirectory& directory, const Metric& metric, Since since,
                             LabelList labels)
    : directory_(directory), metric_(metric), labels_(std::move(labels)) {
  if (since == Since::kProcessStart) before_ = 0;
}

void CounterFigure::Update(std::optional<uint64_t> total, bool counting) {
  if (!total) return;
  if (!counter_) counter_ = directory_.main_row().counter(directory_.Counter(metric_, labels_));
  if (counting && before_ && *total > *before_) counter_->Inc(*total - *before_);
  before_ = total;
}

}  // namespace sluice
