// How late the workers' loops are, as their stats say. On any thread.
#ifndef SLUICE_CORE_SERVER_LOOP_LAG_H_
#define SLUICE_CORE_SERVER_LOOP_LAG_H_

#include "core/stats/reader.h"

namespace sluice {

// In seconds: what 99% of the timers of the worst worker were late at most. 0: nothing was
// measured.
double LoopLagP99(const StatsReader& stats);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_LOOP_LAG_H_
