#include "core/config/check_overload.h"

#include <string_view>
#include <utility>

#include "core/base/strings.h"
#include "core/config/config.pb.h"

namespace sluice {
namespace {

// 0 stands for never, and is left out.
template <typename Steps>
void CheckSteps(const Steps& steps, const std::string& path, const OverloadFault& error) {
  const std::pair<std::string_view, double> each[] = {
      {"stop_keep_alive", static_cast<double>(steps.stop_keep_alive())},
      {"shed_low_priority", static_cast<double>(steps.shed_low_priority())},
      {"refuse_connections", static_cast<double>(steps.refuse_connections())}};
  std::pair<std::string_view, double> before{"", 0};
  for (const auto& step : each) {
    if (step.second == 0) continue;
    if (step.second < before.second) {
      error(StrCat({path, ".", step.first}),
            StrCat({"must not be below ", before.first, ": steps are taken in this order"}));
    }
    before = step;
  }
}

}  // namespace

void CheckBulkhead(const config::Bulkhead& bulkhead, bool of_route, const std::string& path,
                   const OverloadFault& error) {
  if (bulkhead.has_per() && !of_route) {
    error(path + ".per", "only the bulkheads of routes are for each consumer");
  }
  // Of a cookie that a client is given: here it is given none.
  for (const auto& [field, written] : {std::pair("ttl", bulkhead.per().has_ttl()),
                                       std::pair("path", !bulkhead.per().path().empty())}) {
    if (written) {
      error(StrCat({path, ".per.", field}), "a bulkhead gives clients no cookie: leave it out");
    }
  }
  if (!bulkhead.has_adaptive()) return;
  if (bulkhead.has_per()) {
    error(path + ".adaptive",
          "does not go with `per`: how long responses take says nothing of one consumer");
  }
  const config::AdaptiveLimit& adaptive = bulkhead.adaptive();
  if (adaptive.at_least() > adaptive.at_most()) {
    error(path + ".adaptive.at_least", "must not be above at_most");
  } else if (bulkhead.requests() < adaptive.at_least() ||
             bulkhead.requests() > adaptive.at_most()) {
    error(path + ".requests",
          StrCat({"the limit begins with it: must be between at_least, ",
                  Decimal(adaptive.at_least()), ", and at_most, ", Decimal(adaptive.at_most())}));
  }
}

void CheckLimits(const config::ClusterLimits& limits, const std::string& path,
                 const OverloadFault& error) {
  const config::PriorityLimits& high = limits.high();
  const auto check = [&](std::string_view field, uint32_t own, uint32_t others) {
    if (own == 0) return;  // as others
    if (others == 0) {
      error(StrCat({path, ".high.", field}), "others have no such limit: leave it out");
    } else if (own < others) {
      error(StrCat({path, ".high.", field}),
            StrCat({"must not be below that of others, ", Decimal(others)}));
    }
  };
  check("connections", high.connections(), limits.connections());
  check("pending", high.pending(), limits.pending());
  check("requests", high.requests(), limits.requests());
  check("retries", high.retries(), limits.retries());
}

void CheckOverload(const config::Overload& overload, const std::string& path,
                   const OverloadFault& error) {
  if (overload.has_memory()) CheckSteps(overload.memory(), path + ".memory", error);
  if (overload.has_connections()) CheckSteps(overload.connections(), path + ".connections", error);
  if (overload.has_fds()) CheckSteps(overload.fds(), path + ".fds", error);
  if (overload.has_loop_lag()) CheckSteps(overload.loop_lag(), path + ".loop_lag", error);
}

}  // namespace sluice
