// StatsDirectory: registers series, that is, gives name and labels an id and a cell in every row.
//
// Owned by the Server, for the main thread only; workers get ids (or a StatsGroup of them) inside
// what is published to them. Registering the same name and labels again gives the same id, in any
// order of the labels, in this process and in every other of the segment: each change is made under
// a lock of the file, having read what others added. Series are never taken out, but one that no
// live process uses may be recycled when the directory is full: its cells are zeroed and its id
// becomes one of a dropped series.
//
// Nothing here fails: a series that does not fit is dropped (SeriesId::dropped(); its handles write
// to a scratch cell), and words that do not fit are this process' alone; the first of each is told
// to `warn`, or to the log. The same if a stopped process holds the lock.
// sluice_stats_dropped_registrations_total counts each time that happens, over all processes there
// ever were; sluice_stats_dropped_series says how many names of this process count nowhere now,
// those of words among them.
#ifndef SLUICE_CORE_STATS_DIRECTORY_H_
#define SLUICE_CORE_STATS_DIRECTORY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "core/base/clock.h"
#include "core/stats/counter.h"
#include "core/stats/gauge.h"
#include "core/stats/metric.h"
#include "core/stats/row.h"
#include "core/stats/series_table.h"
#include "core/stats/shared_gauge.h"
#include "core/stats/shared_word.h"

namespace sluice {

class StatsSegment;

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

  // The words of this name and labels, shared between workers and with the next process; those that
  // do not fit are this process' alone, and counted as a dropped series.
  SharedWords Words(std::string_view name, const LabelList& labels = {});
  // Those that are there already, of this process or one before it; nothing: there are none, or
  // nobody can say now.
  std::optional<SharedWords> FindWords(std::string_view name, const LabelList& labels = {});
  // The first of them.
  SharedWord Word(std::string_view name, const LabelList& labels = {}) {
    return Words(name, labels)[0];
  }

  // A gauge that all threads of this process count in, exported as any other. One that does not fit
  // still counts, where nothing shows it, and is counted as a dropped series.
  sluice::SharedGauge SharedGauge(const Metric& metric, const LabelList& labels = {});

  // Brings sluice_stats_page_failures_total up to date.
  void CountPageFailures();

  // The row of the thread that registers: for what the main thread itself counts.
  StatsRow main_row() const { return main_row_; }

 private:
  SeriesId RegisterKind(uint8_t kind, Metric metric, const LabelList& labels);
  SeriesId Drop(uint8_t kind, std::string_view name, uint64_t series, std::string_view reason);

  StatsSegment& segment_;
  StatsSeriesTable table_;
  StatsRow main_row_;
  Warn warn_;
  bool warned_ = false;
  bool warned_of_words_ = false;
  Nanos patience_;  // with who holds the lock
  struct Registered {
    uint8_t kind;
    MetricUnit unit;
  };
  std::unordered_map<std::string, Registered> registered_;  // by this process, by name
  // What did not fit, by name and labels.
  std::map<std::string, std::unique_ptr<StatsCell[]>> own_words_;
  std::map<std::string, std::unique_ptr<StatsCell>> own_gauges_;
  sluice::Counter dropped_;
  sluice::Gauge dropped_now_;
  std::unordered_set<uint64_t> dropped_series_;  // hashes of name and labels
  sluice::Counter page_failures_;
  uint64_t counted_page_failures_ = 0;  // of the segment's
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_DIRECTORY_H_
