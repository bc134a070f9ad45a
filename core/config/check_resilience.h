// What a schema cannot say of retries, hedges and breakers: fields that contradict each other, or
// that do nothing. Part of CheckConfig; of the thread that loads.
#ifndef SLUICE_CORE_CONFIG_CHECK_RESILIENCE_H_
#define SLUICE_CORE_CONFIG_CHECK_RESILIENCE_H_

#include <functional>
#include <string>

namespace sluice {
namespace config {
class Route;
}

using ResilienceFault = std::function<void(const std::string& path, std::string message)>;

// `path`: where the route stands.
void CheckRetries(const config::Route& route, const std::string& path, const ResilienceFault& error,
                  const ResilienceFault& warning);
// `path`: where the breaker stands; `is_written` says whether the file has something at a path.
void CheckBreaker(const std::string& path,
                  const std::function<bool(const std::string& path)>& is_written,
                  const ResilienceFault& error);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_CHECK_RESILIENCE_H_
