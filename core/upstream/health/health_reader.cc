#include "core/upstream/health/health_reader.h"

#include "core/config/health.pb.h"

namespace sluice {

HealthSettings ReadHealth(const config::Health& config) {
  HealthSettings settings;
  if (config.protocol() != config::Health::HTTP) {
    settings.protocol = HealthSettings::Protocol::kTcp;
    settings.send = config.send();
    settings.expect = config.expect();
  }
  if (config.protocol() == config::Health::REDIS) {
    settings.send = "*1\r\n$4\r\nPING\r\n";
    settings.expect = "+PONG";
    settings.one_line = true;
  }
  settings.host = config.host();
  settings.body = config.body();
  for (const config::HeaderValue& header : config.headers()) {
    settings.headers.emplace_back(header.name(), header.value());
  }
  settings.port = static_cast<uint16_t>(config.port());
  // A message that the loader made has all its defaults; one that was not written, none.
  if (config.interval() == 0) return settings;
  settings.path = config.path();
  settings.method = config.method();
  settings.statuses.assign(config.statuses().begin(), config.statuses().end());
  settings.interval = config.interval();
  settings.fast_interval = config.fast_interval();
  settings.down_interval = config.down_interval();
  settings.jitter = config.jitter() / 100;
  settings.timeout = config.timeout();
  settings.healthy_threshold = config.healthy_threshold();
  settings.unhealthy_threshold = config.unhealthy_threshold();
  return settings;
}

}  // namespace sluice
