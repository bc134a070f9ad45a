// What the fault filter may do to a request: what the config says, overlaid with what the request
// asks for where that is allowed. Plain values of one request.
#ifndef SLUICE_FILTERS_FAULT_PLAN_H_
#define SLUICE_FILTERS_FAULT_PLAN_H_

#include <cstdint>
#include <string_view>

#include "core/base/clock.h"
#include "core/http/headers.h"

namespace sluice::fault {

class FaultConfig;

inline constexpr std::string_view kHeaderPrefix = "x-sluice-fault-";

struct FaultPlan {
  Nanos delay = 0;  // 0: none, also below
  double delay_percent = 0;
  uint16_t abort_status = 0;
  double abort_percent = 0;
  uint64_t bytes_per_second = 0;
  double bandwidth_percent = 0;
};

FaultPlan PlanOf(const FaultConfig& config);

// Takes the x-sluice-fault-* fields out of `headers`: they end here, whether they are obeyed or
// not. Obeyed, they change `plan`; what cannot be read is as if it were not there. `max_delay` 0:
// not obeyed.
void TakeFaultHeaders(Headers& headers, Nanos max_delay, FaultPlan& plan);

}  // namespace sluice::fault

#endif  // SLUICE_FILTERS_FAULT_PLAN_H_
