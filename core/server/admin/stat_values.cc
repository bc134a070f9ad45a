#include "core/server/admin/stat_values.h"

#include <algorithm>
#include <vector>

#include "core/base/strings.h"
#include "core/stats/labels.h"

namespace sluice {

StatValues::StatValues(const StatsReader& stats, std::initializer_list<std::string_view> rooms) {
  std::vector<StatsReader::Family> families(stats.family_count());
  std::vector<bool> wanted(families.size());
  for (uint32_t i = 0; i < families.size(); ++i) {
    families[i] = stats.family(i);
    wanted[i] = families[i].kind != MetricKind::kHistogram &&
                std::any_of(rooms.begin(), rooms.end(), [&](std::string_view room) {
                  return families[i].name.starts_with(StrCat({"sluice_", room, "_"}));
                });
  }
  StatsReader::Series series;
  for (uint32_t i = 0; i < stats.series_count(); ++i) {
    if (!stats.Read(i, series) || series.family >= wanted.size() || !wanted[series.family]) {
      continue;
    }
    const StatsReader::Family& family = families[series.family];
    values_[StrCat({family.name, "{", series.labels, "}"})] =
        family.kind == MetricKind::kGauge ? stats.gauge(series.id)
                                          : static_cast<int64_t>(stats.counter(series.id));
  }
}

int64_t StatValues::Of(std::string_view family, const LabelList& labels) const {
  const auto found = values_.find(StrCat({family, "{", CanonicalLabels(labels), "}"}));
  return found == values_.end() ? 0 : found->second;
}

}  // namespace sluice
