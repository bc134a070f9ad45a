// StatValues: the values of some families at this moment, found by their labels: one pass over the
// directory for a page that shows many. A value.
#ifndef SLUICE_CORE_SERVER_ADMIN_STAT_VALUES_H_
#define SLUICE_CORE_SERVER_ADMIN_STAT_VALUES_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/stats/metric.h"
#include "core/stats/reader.h"

namespace sluice {

class StatValues {
 public:
  // Counters and gauges of the families of one of `rooms`: of sluice_ROOM_*.
  StatValues(const StatsReader& stats, std::initializer_list<std::string_view> rooms);

  // 0 if there is no such series. Durations in microseconds.
  int64_t Of(std::string_view family, const LabelList& labels = {}) const;

 private:
  std::unordered_map<std::string, int64_t> values_;  // by `name{labels}`
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_STAT_VALUES_H_
