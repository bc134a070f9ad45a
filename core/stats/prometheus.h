// Prometheus text of the whole directory: the 0.0.4 format and OpenMetrics 1.0. Any thread, while
// workers count; each sample is read at the moment it is written.
//
// Families are in the order of their names, each with HELP and TYPE once, its series together, in
// the order of their registration. Durations are in seconds. Histograms are given as classic
// buckets, each bound moved to the nearer edge of a cell: by at most 1.6%.
#ifndef SLUICE_CORE_STATS_PROMETHEUS_H_
#define SLUICE_CORE_STATS_PROMETHEUS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/stats/reader.h"

namespace sluice {

enum class PrometheusFormat : uint8_t { kText, kOpenMetrics };

struct PrometheusOptions {
  PrometheusFormat format = PrometheusFormat::kText;
  std::vector<std::string> names;  // `?name[]=`: only these families; empty: all
  bool hide_unused = false;        // leave out counters and histograms that never counted
  // Only what it says yes to, of family and labels; null: all.
  std::function<bool(std::string_view name, std::string_view labels)> wanted = {};
};

// The value of content-type for a format, and the format that an Accept header asks for.
std::string_view PrometheusContentType(PrometheusFormat format);
PrometheusFormat PrometheusFormatFor(std::string_view accept);

// Renders in slices, so that the main thread can do other things between them: the first ones group
// the series by their families. Series registered after its construction are left for the next
// scrape. Of families of one name, which an upgrade can leave that changed the kind or the unit of
// a metric, the one registered last is written. Borrows the segment through the reader.
class PrometheusRenderer {
 public:
  PrometheusRenderer(const StatsReader& reader, PrometheusOptions options);

  // Appends up to `max_series` series to `out`, or nothing yet; false once all is written.
  bool RenderSome(uint32_t max_series, std::string& out);

 private:
  void GroupSome(uint32_t max_series);
  void Order();
  void AppendHead(uint32_t family, std::string& out);  // unless it is there already
  void AppendScalar(std::string& out);                 // series_
  void AppendHistogram(std::string& out);

  StatsReader reader_;
  PrometheusOptions options_;
  uint32_t series_count_;
  uint32_t grouped_ = 0;                          // of these
  std::vector<std::vector<SeriesId>> by_family_;  // until all are grouped
  std::vector<std::vector<SeriesId>> order_;      // families in the order of their names
  size_t in_hand_ = 0;                            // of order_
  StatsReader::Series series_;                    // the one in hand
  size_t next_ = 0;                               // of the family in hand
  uint32_t family_ = UINT32_MAX;                  // whose head was written last
  bool done_ = false;
  HistogramSnapshot histogram_;
};

std::string RenderPrometheus(const StatsReader& reader, PrometheusOptions options = {});

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_PROMETHEUS_H_
