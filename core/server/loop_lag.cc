#include "core/server/loop_lag.h"

#include <algorithm>
#include <cstdint>

#include "core/stats/histogram_snapshot.h"

namespace sluice {

double LoopLagP99(const StatsReader& stats) {
  constexpr double kMicros = 1e6;
  HistogramSnapshot lags;
  StatsReader::Series series;
  double worst = 0;
  for (uint32_t i = 0; i < stats.series_count(); ++i) {
    if (!stats.Read(i, series)) continue;
    if (stats.family(series.family).name != "sluice_worker_loop_lag_seconds") continue;
    stats.histogram(series.id, lags);
    worst = std::max(worst, lags.Quantile(0.99) / kMicros);
  }
  return worst;
}

}  // namespace sluice
