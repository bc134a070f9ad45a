#include <re2/re2.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/strings.h"
#include "core/server/admin/admin_page.h"
#include "core/stats/labels.h"

namespace sluice {
namespace {

constexpr uint32_t kSeriesPerSlice = 256;

// One series a line, in the order of registration: `name{labels}: value`. A histogram is
// `count=.. sum=.. p50=.. p90=.. p99=.. max=..`. Durations in microseconds, as they are counted.
class StatsPage final : public AdminPage {
 public:
  StatsPage(const StatsReader& stats, std::unique_ptr<re2::RE2> filter, bool json, bool used)
      : stats_(stats), filter_(std::move(filter)), json_(json), used_(used) {}

  std::string_view content_type() const override {
    return json_ ? "application/json" : "text/plain; charset=utf-8";
  }

  bool RenderSome(std::string& out) override {
    if (json_ && next_ == 0) out += "[";
    for (uint32_t i = 0; i < kSeriesPerSlice && next_ < end_; ++i) Append(next_++, out);
    if (next_ < end_) return true;
    if (json_) out += first_ ? "]\n" : "\n]\n";
    return false;
  }

 private:
  void Append(uint32_t index, std::string& out) {
    if (!stats_.Read(index, series_)) return;
    const StatsReader::Family family = stats_.family(series_.family);
    const std::string name = series_.labels.empty()
                                 ? std::string(family.name)
                                 : StrCat({family.name, "{", series_.labels, "}"});
    if (filter_ != nullptr && !re2::RE2::PartialMatch(name, *filter_)) return;
    nlohmann::json value;
    const SeriesId id = series_.id;
    switch (family.kind) {
      case MetricKind::kCounter:
        value = stats_.counter(id);
        break;
      case MetricKind::kGauge:
        value = stats_.gauge(id);
        break;
      case MetricKind::kHistogram:
        stats_.histogram(id, histogram_);
        value = {{"count", histogram_.count()},
                 {"sum", histogram_.sum()},
                 {"p50", histogram_.Quantile(0.5)},
                 {"p90", histogram_.Quantile(0.9)},
                 {"p99", histogram_.Quantile(0.99)}};
        break;
    }
    if (used_ && (value == 0 || (value.is_object() && value["count"] == 0))) return;
    if (!json_) {
      out += StrCat({name, ": ", value.dump(), "\n"});
      return;
    }
    nlohmann::json labels = nlohmann::json::object();
    for (const auto& [label, text] : ParseLabels(series_.labels)) labels[label] = text;
    const nlohmann::json entry = {
        {"name", family.name}, {"labels", std::move(labels)}, {"value", std::move(value)}};
    out += StrCat({first_ ? "\n" : ",\n",
                   entry.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)});
    first_ = false;
  }

  StatsReader stats_;
  std::unique_ptr<re2::RE2> filter_;  // null: all
  const bool json_;
  const bool used_;
  const uint32_t end_ = stats_.series_count();
  uint32_t next_ = 0;
  StatsReader::Series series_;
  bool first_ = true;
  HistogramSnapshot histogram_;
};

}  // namespace

Result<std::unique_ptr<AdminPage>> NewStatsPage(const StatsReader& stats, const Query& query,
                                                bool json) {
  std::unique_ptr<re2::RE2> filter;
  if (!query.Get("filter").empty()) {
    filter = std::make_unique<re2::RE2>(std::string(query.Get("filter")), re2::RE2::Quiet);
    if (!filter->ok()) {
      return Fail(Code::kInvalidArgument, StrCat({"filter: ", filter->error()}));
    }
  }
  return std::unique_ptr<AdminPage>(
      std::make_unique<StatsPage>(stats, std::move(filter), json, query.Has("used")));
}

}  // namespace sluice
