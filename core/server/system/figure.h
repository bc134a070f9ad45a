// Figures that the kernel counts, as metrics. A figure that is not there has no series: it is
// registered when it is first seen. Of the main thread, and its row.
#ifndef SLUICE_CORE_SERVER_SYSTEM_FIGURE_H_
#define SLUICE_CORE_SERVER_SYSTEM_FIGURE_H_

#include <cstdint>
#include <optional>

#include "core/stats/counter.h"
#include "core/stats/gauge.h"
#include "core/stats/metric.h"

namespace sluice {

class StatsDirectory;

class GaugeFigure {
 public:
  // The texts of `metric` and `labels` are literals. The directory outlives the figure.
  GaugeFigure(StatsDirectory& directory, const Metric& metric, LabelList labels = {});

  // Nothing: leaves it as it is, but for a limit that was lifted, see SetLimit.
  void Set(std::optional<uint64_t> value);
  // Nothing: 0, if it was ever anything else.
  void SetLimit(std::optional<uint64_t> value);

 private:
  StatsDirectory& directory_;
  const Metric metric_;
  const LabelList labels_;
  std::optional<Gauge> gauge_;
};

// The kernel's counts began before us, or end with the process: the metric's go on over restarts,
// so that what is added to it is how much the kernel's have grown.
class CounterFigure {
 public:
  enum class Since {
    kProcessStart,  // the kernel's is the process' own, and began at zero
    kFirstSeen,     // it is the machine's
  };

  CounterFigure(StatsDirectory& directory, const Metric& metric, Since since,
                LabelList labels = {});

  // `total`: the kernel's. One that is less than before begins anew, with nothing to add.
  // `counting` false: somebody else adds it; only remembers where it is.
  void Update(std::optional<uint64_t> total, bool counting = true);

 private:
  StatsDirectory& directory_;
  const Metric metric_;
  const LabelList labels_;
  std::optional<Counter> counter_;
  std::optional<uint64_t> before_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SYSTEM_FIGURE_H_
