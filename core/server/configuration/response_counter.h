// ResponseCounter: what the listeners of clients have answered, over all workers, as the stats say:
// local replies too, the admin API's answers not. Owned by the server; main thread.
#ifndef SLUICE_CORE_SERVER_CONFIGURATION_RESPONSE_COUNTER_H_
#define SLUICE_CORE_SERVER_CONFIGURATION_RESPONSE_COUNTER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "core/server/configuration/guard_window.h"
#include "core/stats/reader.h"

namespace sluice {

class ResponseCounter {
 public:
  // Borrowed.
  explicit ResponseCounter(const StatsSegment& segment) : segment_(segment) {}

  // What was answered since the last call, or 0 at the first. A series that is new here begins
  // with what it said when it was first seen: it may have counted for an earlier process. A
  // configuration may bring one in the place of another: `look_again` after each.
  ResponseCounts Take(bool look_again);

 private:
  struct Seen {
    SeriesId id;
    bool failed;
    uint64_t last;
  };

  void Look(const StatsReader& reader);
  bool Knows(SeriesId id) const;

  const StatsSegment& segment_;
  std::vector<Seen> seen_;
  uint32_t looked_at_ = 0;  // series that there were then
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONFIGURATION_RESPONSE_COUNTER_H_
