#include "core/config/route_retries.h"

#include <algorithm>
#include <utility>

#include "core/base/strings.h"
#include "core/config/route.pb.h"

namespace sluice {
namespace {

// The two enumerations have the same order, which a test holds them to.
BackOffSettings SettingsOf(const config::BackOff& config) {
  BackOffSettings settings;
  settings.growth = static_cast<BackOffSettings::Growth>(config.growth());
  settings.jitter = static_cast<BackOffSettings::Jitter>(config.jitter());
  settings.base = config.base();
  settings.most = config.max();
  return settings;
}

}  // namespace

Result<std::unique_ptr<const RouteRetries>> RouteRetries::Compile(const config::Retries& config) {
  auto retries = std::make_unique<RouteRetries>();
  for (const int condition : config.on()) retries->on |= RetryBit(condition);
  if (!config.statuses().empty()) {
    retries->on |= RetryBit(config::Retries::RETRIABLE_STATUS_CODES);
    retries->statuses.assign(config.statuses().begin(), config.statuses().end());
  }
  for (const config::ValueMatch& match : config.headers()) {
    auto test = RouteValueTest::Compile(match);
    if (!test) {
      Error error = std::move(test).error();
      error.detail = StrCat({"headers[", Decimal(retries->headers.size()), "].", error.detail});
      return Fail(std::move(error));
    }
    retries->on |= RetryBit(config::Retries::RETRIABLE_HEADERS);
    retries->headers.push_back(std::move(*test));
  }
  retries->attempts = config.attempts();
  retries->other_priority = config.other_priority();
  retries->back_off = SettingsOf(config.back_off());
  if (retries->on == 0 || retries->attempts < 2) return std::unique_ptr<const RouteRetries>();
  return std::unique_ptr<const RouteRetries>(std::move(retries));
}

bool RouteRetries::HasStatus(uint32_t status) const {
  return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

}  // namespace sluice
