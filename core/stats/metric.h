// The words that describe a metric: kind, unit, labels, and the id of a registered series. Plain
// values, for any thread.
#ifndef SLUICE_CORE_STATS_METRIC_H_
#define SLUICE_CORE_STATS_METRIC_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace sluice {

enum class MetricKind : uint8_t { kCounter, kGauge, kHistogram };

// What a cell counts in. Microseconds are rendered as seconds, whatever the kind.
enum class MetricUnit : uint8_t { kNone, kMicroseconds, kBytes };

// What a gauge says while two processes of an instance live, during a hot restart: their sum, such
// as of connections; or what the later one says, such as the version of its configuration.
enum class GaugeOf : uint8_t { kAllProcesses, kLatestProcess };

// Who gets what is left of the directory when it is nearly full: of what there may be any number,
// such as series of routes and endpoints, an eighth is kept free for the rest.
enum class SeriesRank : uint8_t { kCore, kMany };

// A family: what all series of one name share. Names follow Prometheus: sluice_WHAT_UNIT, a
// counter's ends in _total, a duration's in _seconds (or _seconds_total).
struct Metric {
  std::string_view name;
  std::string_view help;
  MetricUnit unit = MetricUnit::kNone;
  GaugeOf gauge_of = GaugeOf::kAllProcesses;
  SeriesRank rank = SeriesRank::kCore;

  // The same, of a route, an endpoint or whatever else there may be many of.
  constexpr Metric OfMany() const {
    Metric metric = *this;
    metric.rank = SeriesRank::kMany;
    return metric;
  }
};

// Borrowed text: a label list lives for the call that it is passed to.
struct Label {
  std::string_view name;
  std::string_view value;
};
using LabelList = std::vector<Label>;

// Names a series of one segment. The default one, also what a full directory answers with, is the
// dropped series: it is valid everywhere, and what is counted under it is lost. So is the id of a
// series whose entry was recycled since: its generation is over.
class SeriesId {
 public:
  constexpr SeriesId() = default;
  constexpr SeriesId(uint32_t index, uint32_t generation)
      : index_(index), generation_(generation) {}

  constexpr bool dropped() const { return index_ == UINT32_MAX; }
  constexpr uint32_t index() const { return index_; }  // position in the directory
  constexpr uint32_t generation() const { return generation_; }
  friend constexpr bool operator==(SeriesId, SeriesId) = default;

 private:
  uint32_t index_ = UINT32_MAX;
  uint32_t generation_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_METRIC_H_
