// HealthSettings: what a cluster's `health` says. Immutable, of the main thread.
#ifndef SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_SETTINGS_H_
#define SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_SETTINGS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"

namespace sluice {

struct HealthSettings {
  enum class Protocol : uint8_t { kHttp, kTcp };

  // So much of an answer is looked at, in bytes.
  static constexpr size_t kMostAnswer = 64 * 1024;

  Protocol protocol = Protocol::kHttp;
  std::string path = "/";
  std::string method = "GET";
  std::string host;  // empty: the endpoint's name or address
  std::vector<uint16_t> statuses = {200};
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string send;
  std::string expect;
  // The answer begins with `expect`, and is one line: another line is a failure at once.
  bool one_line = false;
  uint16_t port = 0;  // 0: the endpoint's own
  Nanos interval = kSecond;
  Nanos fast_interval = 250 * kMillisecond;
  Nanos down_interval = 3 * kSecond;
  double jitter = 0.1;  // of an interval
  Nanos timeout = kSecond;
  uint32_t healthy_threshold = 2;
  uint32_t unhealthy_threshold = 3;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_SETTINGS_H_
