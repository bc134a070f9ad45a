// EjectionCause: which trigger of outlier detection ejected an endpoint.
#ifndef SLUICE_CORE_UPSTREAM_OUTLIER_EJECTION_CAUSE_H_
#define SLUICE_CORE_UPSTREAM_OUTLIER_EJECTION_CAUSE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

// What says most of the reason stands first: that is named, where several apply.
enum class EjectionCause : uint8_t {
  kConsecutiveLocalOriginFailure,
  kConsecutiveGatewayFailure,
  kConsecutive5xx,
  kSuccessRate,
  kFailurePercentage,
  kLatency,
};
inline constexpr size_t kEjectionCauses = 6;

// As the configuration names it, and the label `cause`.
constexpr std::string_view NameOf(EjectionCause cause) {
  constexpr std::string_view kNames[kEjectionCauses] = {"consecutive_local_origin_failure",
                                                        "consecutive_gateway_failure",
                                                        "consecutive_5xx",
                                                        "success_rate",
                                                        "failure_percentage",
                                                        "latency"};
  return kNames[static_cast<size_t>(cause)];
}

// A set of causes, a bit each.
using EjectionCauses = uint64_t;

constexpr EjectionCauses CausesOf(EjectionCause cause) {
  return EjectionCauses{1} << static_cast<unsigned>(cause);
}

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_OUTLIER_EJECTION_CAUSE_H_
