#include "core/config/check_resilience.h"

#include <algorithm>

#include "core/config/route.pb.h"

namespace sluice {
namespace {

bool Has(const config::Retries& retries, config::Retries::Condition condition) {
  return std::find(retries.on().begin(), retries.on().end(), condition) != retries.on().end();
}

}  // namespace

void CheckRetries(const config::Route& route, const std::string& path, const ResilienceFault& error,
                  const ResilienceFault& warning) {
  const config::Retries& retries = route.retries();
  const std::string at = path + ".retries";
  if (Has(retries, config::Retries::RETRIABLE_STATUS_CODES) && retries.statuses().empty()) {
    error(at + ".on", "retriable-status-codes stands here without `statuses`: [502, 503]");
  }
  if (Has(retries, config::Retries::RETRIABLE_HEADERS) && retries.headers().empty()) {
    error(at + ".on",
          "retriable-headers stands here without `headers`: { x-retry: { present: on } }");
  }
  const bool tries_again =
      !retries.on().empty() || !retries.statuses().empty() || !retries.headers().empty();
  // A time limit for the one try is of use without.
  if (route.has_retries() && !tries_again && retries.per_try_timeout() == 0) {
    error(at, "nothing says what is repeated: add `on: [connect-failure, gateway-error]`");
  }
  if (route.timeout() == 0) return;
  if (retries.per_try_timeout() > route.timeout()) {
    warning(at + ".per_try_timeout",
            "does nothing: the route's `timeout` is shorter and holds for all tries together");
  }
  if (route.hedge().after() >= route.timeout()) {
    warning(path + ".hedge.after",
            "no second try ever begins: the route's `timeout` is not longer");
  }
}

void CheckBreaker(const std::string& path,
                  const std::function<bool(const std::string& path)>& is_written,
                  const ResilienceFault& error) {
  if (is_written(path + ".window") && is_written(path + ".window_calls")) {
    error(path + ".window", "`window_calls` takes its place: leave one of the two out");
  }
}

}  // namespace sluice
