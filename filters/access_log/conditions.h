// Conditions: which requests are logged. Compiled on the main thread, immutable, shared by workers.
#ifndef SLUICE_FILTERS_ACCESS_LOG_CONDITIONS_H_
#define SLUICE_FILTERS_ACCESS_LOG_CONDITIONS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/config/route_conditions.h"
#include "core/filter/stream_info.h"

namespace sluice::access_log {

class When;

class Conditions {
 public:
  // Errors begin with the field's name: "statuses[0]: ...".
  static Result<Conditions> Compile(const When& when);

  bool none() const { return count_ == 0; }
  // `random` is for a sample of requests without an id.
  bool Hold(const StreamInfo& info, Random& random) const;

 private:
  struct StatusRange {
    uint16_t from;
    uint16_t to;
  };
  bool StatusFits(uint16_t status) const;
  bool HeadersFit(const StreamInfo& info) const;
  bool Sampled(const StreamInfo& info, Random& random) const;

  std::vector<StatusRange> statuses_;
  std::vector<RouteValueTest> headers_;
  uint32_t flags_ = 0;  // as ResponseFlags::bits()
  Nanos min_duration_ = 0;
  std::optional<uint64_t> sample_;  // of 2^64; nothing: no condition
  bool any_ = false;
  int count_ = 0;
};

}  // namespace sluice::access_log

#endif  // SLUICE_FILTERS_ACCESS_LOG_CONDITIONS_H_
