// StatsListing: every series with its numbers, for people and for scripts, rendered slice by slice:
// for the admin API's /stats and for `sluice stats`.
//
//   text       one series a line, in the order of registration: `name{labels}: value`. A histogram
//              is {"count":..,"sum":..,"p50":..,"p90":..,"p99":..}
//   JSON       an array of {"name", "labels", "value"}
//   JSON line  one object, for each look one line: {"time", "series": [...]}
//
// With StatsRates a growing number has its rate beside it. Durations in microseconds, as they are
// counted. One thread; borrows the segment through the reader.
#ifndef SLUICE_CORE_SERVER_STATS_STATS_LISTING_H_
#define SLUICE_CORE_SERVER_STATS_STATS_LISTING_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/server/stats/series_filter.h"
#include "core/server/stats/stats_rates.h"
#include "core/stats/reader.h"

namespace sluice {

enum class ListingFormat : uint8_t { kText, kJson, kJsonLine };

struct ListingOptions {
  ListingFormat format = ListingFormat::kText;
  const SeriesFilter* filter = nullptr;  // borrowed; null: all
  bool hide_unused = false;              // leave out what is zero
  StatsRates* rates = nullptr;           // borrowed; null: none
  Nanos wall = 0;                        // of a JSON line
};

class StatsListing {
 public:
  StatsListing(const StatsReader& reader, const ListingOptions& options);

  // Appends what is shown of up to `max_series` series to `out`; false once all is written.
  bool RenderSome(uint32_t max_series, std::string& out);

 private:
  void Append(uint32_t index, std::string& out);
  void AppendText(std::string_view name, std::string_view value, std::optional<double> rate,
                  std::string& out) const;

  StatsReader reader_;
  ListingOptions options_;
  uint32_t end_;
  uint32_t next_ = 0;
  bool begun_ = false;
  bool first_ = true;
  StatsReader::Series series_;
  HistogramSnapshot histogram_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_STATS_STATS_LISTING_H_
