#include "core/server/stats/stats_rates.h"

#include <utility>

namespace sluice {

void StatsRates::Begin(Nanos now) {
  before_ = now_;
  now_ = now;
  ++look_;
}

double StatsRates::interval() const {
  return look_ < 2 ? 0 : static_cast<double>(now_ - before_) / static_cast<double>(kSecond);
}

std::optional<double> StatsRates::Of(SeriesId id, uint64_t total) {
  if (id.dropped()) return std::nullopt;
  if (id.index() >= seen_.size()) seen_.resize(id.index() + size_t{1});
  const Seen before = std::exchange(seen_[id.index()], {id.generation(), look_, total});
  if (look_ < 2 || before.look != look_ - 1 || before.generation != id.generation() ||
      before.total > total || now_ <= before_) {
    return std::nullopt;
  }
  return static_cast<double>(total - before.total) / interval();
}

}  // namespace sluice
