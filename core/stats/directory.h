// StatsDirectory: registers series, that is, gives name and labels an id and a cell in every row.
//
// Owned by the Server, for the main thread only; workers get ids (or a StatsGroup of them) inside
// what is published to them. Registering the same name and labels again gives the same id, in any
// order of the labels. Series are never taken out.
//
// A full directory never fails: a series that does not fit is dropped (SeriesId::dropped(); its
// handles write to a scratch cell), counted in sluice_stats_dropped_registrations_total, and the
// first is told to `warn`, or to the log.
#ifndef SLUICE_CORE_STATS_DIRECTORY_H_
#define SLUICE_CORE_STATS_DIRECTORY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/stats/counter.h"
#include "core/stats/metric.h"
#include "core/stats/row.h"

namespace sluice {

class StatsSegment;
struct StatsSegmentHeader;
struct StatsText;

class StatsDirectory {
 public:
  using Warn = std::function<void(std::string_view message)>;

  // Borrows the segment. Takes over what is registered there already.
  explicit StatsDirectory(StatsSegment& segment, Warn warn = nullptr);

  // directory.Counter({"sluice_upstream_requests_total", "Requests sent."},
  //                   {{"cluster", "api"}, {"code_class", "2xx"}});
  // REQUIRES: valid Prometheus names, a counter's ending in _total, and one kind for one name: they
  // come from our code. Label values may be anything. Help and unit are the first registration's.
  SeriesId Counter(const Metric& metric, const LabelList& labels = {});
  SeriesId Gauge(const Metric& metric, const LabelList& labels = {});
  SeriesId Histogram(const Metric& metric, const LabelList& labels = {});

  SeriesId Register(MetricKind kind, const Metric& metric, const LabelList& labels);

  // The row of the thread that registers: for what the main thread itself counts.
  StatsRow main_row() const { return main_row_; }

 private:
  static constexpr uint32_t kFull = UINT32_MAX;

  uint32_t FindOrAddFamily(MetricKind kind, const Metric& metric);
  SeriesId AddSeries(MetricKind kind, uint32_t family, std::string_view labels);
  SeriesId Drop(std::string_view name);
  bool HasText(size_t size) const;
  StatsText AddText(std::string_view text);

  StatsSegmentHeader& header_;
  StatsRow main_row_;
  Warn warn_;
  bool warned_ = false;
  // Borrow the names, in the segment; the second is keyed by a hash of family and labels.
  std::unordered_map<std::string_view, uint32_t> families_;
  std::unordered_multimap<uint64_t, uint32_t> series_;
  sluice::Counter dropped_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_DIRECTORY_H_
