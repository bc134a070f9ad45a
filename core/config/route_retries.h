// RouteRetries: when and how a route's requests are tried again, compiled. Owned by its Route;
// immutable, read by all workers. What the conditions mean stands in route.proto (Retries); the
// router (core/proxy) holds responses against them.
#ifndef SLUICE_CORE_CONFIG_ROUTE_RETRIES_H_
#define SLUICE_CORE_CONFIG_ROUTE_RETRIES_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/back_off.h"
#include "core/base/result.h"
#include "core/config/route_conditions.h"

namespace sluice {
namespace config {
class Retries;
}  // namespace config

// Bits: one for each of config::Retries::Condition, by its number.
using RetryConditions = uint32_t;

constexpr RetryConditions RetryBit(int condition) { return RetryConditions{1} << condition; }

struct RouteRetries {
  // Null: nothing but what the router does by itself. Errors begin with the field's name.
  static Result<std::unique_ptr<const RouteRetries>> Compile(const config::Retries& config);

  bool Has(int condition) const { return (on & RetryBit(condition)) != 0; }
  bool HasStatus(uint32_t status) const;

  RetryConditions on = 0;
  uint32_t attempts = 2;
  bool other_priority = false;
  std::vector<uint32_t> statuses;
  std::vector<RouteValueTest> headers;
  BackOffSettings back_off;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_RETRIES_H_
