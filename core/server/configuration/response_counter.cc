#include "core/server/configuration/response_counter.h"

#include <algorithm>
#include <string_view>

namespace sluice {
namespace {

bool Has(std::string_view labels, std::string_view label) {
  return labels.find(label) != std::string_view::npos;
}

}  // namespace

ResponseCounts ResponseCounter::Take(bool look_again) {
  const StatsReader reader(segment_);
  ResponseCounts counts;
  for (Seen& series : seen_) {
    const uint64_t value = reader.counter(series.id);
    if (value < series.last) continue;  // recycled: nothing counts there any more
    counts.all += value - series.last;
    if (series.failed) counts.failed += value - series.last;
    series.last = value;
  }
  if (look_again || reader.series_count() != looked_at_) Look(reader);
  return counts;
}

void ResponseCounter::Look(const StatsReader& reader) {
  looked_at_ = reader.series_count();
  StatsReader::Series series;
  for (uint32_t i = 0; i < looked_at_; ++i) {
    if (!reader.ReadFamily(i, series)) continue;
    if (reader.family(series.family).name != "sluice_downstream_responses_total") continue;
    if (Knows(series.id) || !reader.Read(i, series)) continue;
    // "none": the client was gone before a response.
    if (Has(series.labels, "listener=\"admin\"") || Has(series.labels, "code_class=\"none\"")) {
      continue;
    }
    seen_.push_back(
        {series.id, Has(series.labels, "code_class=\"5xx\""), reader.counter(series.id)});
  }
}

bool ResponseCounter::Knows(SeriesId id) const {
  return std::any_of(seen_.begin(), seen_.end(), [id](const Seen& seen) { return seen.id == id; });
}

}  // namespace sluice
