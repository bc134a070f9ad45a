// How a struct of handles is made from one table.
//
//   struct ClusterStats {
//     Counter connections;
//     Counter responses_2xx;
//     Histogram duration;
//
//     void Describe(MetricTable& table) {
//       table.Add(connections, {"sluice_upstream_connections_total", "Connections opened."});
//       table.Add(responses_2xx, {"sluice_upstream_responses_total", "Responses, by class."},
//                 {{"code_class", "2xx"}});
//       table.Add(duration, {"sluice_upstream_request_duration_seconds", "Request to response.",
//                            MetricUnit::kMicroseconds});
//     }
//   };
//
//   // Main thread, when the cluster is built; the group goes into what is published.
//   StatsGroup<ClusterStats> group = StatsScope(directory, {{"cluster",
//   "api"}}).Group<ClusterStats>();
//   // Worker, once: from here on an Inc is a load and a store.
//   ClusterStats stats = group.Bind(row);
#ifndef SLUICE_CORE_STATS_SCOPE_H_
#define SLUICE_CORE_STATS_SCOPE_H_

#include <string>
#include <utility>
#include <vector>

#include "core/stats/row.h"

namespace sluice {

class StatsDirectory;
class StatsScope;

// What Describe() fills: it runs once to register the series, and again for each row to bind the
// handles, in the same order. REQUIRES: Describe makes the same calls each time.
class MetricTable {
 public:
  void Add(Counter& handle, const Metric& metric, const LabelList& labels = {});
  void Add(Gauge& handle, const Metric& metric, const LabelList& labels = {});
  void Add(Histogram& handle, const Metric& metric, const LabelList& labels = {});

 private:
  template <typename T>
  friend class StatsGroup;

  MetricTable(const StatsScope* scope, std::vector<SeriesId>* ids) : scope_(scope), ids_(ids) {}
  MetricTable(const StatsRow* row, const std::vector<SeriesId>* bound) : row_(row), bound_(bound) {}

  SeriesId Next(MetricKind kind, const Metric& metric, const LabelList& labels);

  const StatsScope* scope_ = nullptr;  // registering
  std::vector<SeriesId>* ids_ = nullptr;
  const StatsRow* row_ = nullptr;  // binding
  const std::vector<SeriesId>* bound_ = nullptr;
  size_t next_ = 0;
};

// The ids of one struct of handles. An immutable value: registered on the main thread, bound on
// any.
template <typename T>
class StatsGroup {
 public:
  StatsGroup() = default;  // empty; may only be assigned to

  // The handles of one row. REQUIRES: the row is of the segment that the group was registered in.
  T Bind(const StatsRow& row) const {
    T handles;
    MetricTable table(&row, &ids_);
    handles.Describe(table);
    return handles;
  }

 private:
  friend class StatsScope;
  explicit StatsGroup(const StatsScope& scope) {
    T handles;
    MetricTable table(&scope, &ids_);
    handles.Describe(table);
    ids_.shrink_to_fit();
  }

  std::vector<SeriesId> ids_;
};

// A directory and the labels that everything registered through it carries. Main thread only;
// borrows the directory.
class StatsScope {
 public:
  explicit StatsScope(StatsDirectory& directory, const LabelList& labels = {});

  // This scope with more labels: an endpoint's in its cluster's.
  StatsScope With(const LabelList& labels) const;

  template <typename T>
  StatsGroup<T> Group() const {
    return StatsGroup<T>(*this);
  }

  SeriesId Register(MetricKind kind, const Metric& metric, const LabelList& labels = {}) const;

 private:
  StatsDirectory* directory_;
  std::vector<std::pair<std::string, std::string>> labels_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_SCOPE_H_
