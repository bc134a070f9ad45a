// StatsRates: how fast counters grew since the look before. Of whoever looks again and again; one
// thread.
#ifndef SLUICE_CORE_SERVER_STATS_STATS_RATES_H_
#define SLUICE_CORE_SERVER_STATS_STATS_RATES_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/stats/metric.h"

namespace sluice {

class StatsRates {
 public:
  // A new look, at this monotonic time.
  void Begin(Nanos now);
  // Since the look before, a second, of what counts to `total` now; nothing if that look did not
  // see the series. Once for each series and look.
  std::optional<double> Of(SeriesId id, uint64_t total);
  // Seconds between the two looks; 0 in the first.
  double interval() const;
  // What comes is of another segment.
  void Forget() { *this = StatsRates(); }

 private:
  struct Seen {
    uint32_t generation = 0;
    uint32_t look = 0;  // 0: none
    uint64_t total = 0;
  };

  std::vector<Seen> seen_;  // by the series' index
  uint32_t look_ = 0;
  Nanos before_ = 0;
  Nanos now_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_STATS_STATS_RATES_H_
