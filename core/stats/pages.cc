#include "core/stats/pages.h"

#include <cerrno>
#include <cstring>
#include <string>

#include "core/base/log.h"

namespace sluice {

uint32_t StatsPages::Take() {
  StatsIndex& used = memory_.header().pages_used;
  uint32_t page = used.load(std::memory_order_relaxed);
  // Reserved first: a page that cannot be is not lost, and is there when room is again. Two that
  // reserve the same one do no harm.
  do {
    // A count that is damaged must not lead into the directory.
    if (page * kStatsPage < places_.regions().pages) return Fail(EUCLEAN);
    if ((page + uint64_t{1}) * kStatsPage > memory_.size()) return Fail(ENOSPC);
    const int error = memory_.Reserve(page * kStatsPage, kStatsPage);
    if (error != 0) return Fail(error);
  } while (!used.compare_exchange_weak(page, page + 1, std::memory_order_acq_rel));
  // Nobody looked at what lies behind the last page: in a damaged file it need not be zero.
  std::memset(StatsAt<char>(memory_.header(), page * kStatsPage), 0, kStatsPage);
  return page;
}

bool StatsPages::exhausted() const {
  const uint64_t used = memory_.header().pages_used.load(std::memory_order_relaxed);
  return (used + 1) * kStatsPage > memory_.size();
}

uint32_t StatsPages::Fail(int error) {
  if (failures_.fetch_add(1, std::memory_order_relaxed) == 0) {
    Log(LogLevel::kWarning, "stats",
        std::string("shared memory has no page left (") + std::strerror(error) +
            "): some of what follows is not counted");
  }
  return 0;
}

}  // namespace sluice
