#include "core/server/echo_target.h"

#include "core/base/strings.h"
#include "core/config/units.h"

namespace sluice {
namespace {

constexpr Nanos kLongest = 3600 * kSecond;
constexpr uint64_t kMostBytes = uint64_t{10} << 30;

using Kind = EchoTarget::Kind;

EchoTarget Bad(const char* fault) {
  EchoTarget target;
  target.kind = Kind::kBad;
  target.fault = fault;
  return target;
}

EchoTarget ReadStatus(std::string_view text) {
  const auto status = ParseDecimal(text);
  if (!status || *status < 200 || *status > 599) return Bad("expected /status/N, N 200 to 599\n");
  EchoTarget target;
  target.kind = Kind::kStatus;
  target.status = static_cast<uint16_t>(*status);
  return target;
}

EchoTarget ReadDelay(std::string_view text) {
  const auto delay = ParseDuration(text);
  if (!delay || *delay > kLongest) {
    return Bad("expected /delay/DURATION, such as 250ms, at most 1h\n");
  }
  EchoTarget target;
  target.delay = *delay;
  return target;
}

EchoTarget ReadBytes(Kind kind, std::string_view text) {
  const auto bytes = ParseSize(text);
  if (!bytes || *bytes > kMostBytes) {
    return Bad("expected a size, such as 1000 or 64KiB, at most 10GiB\n");
  }
  EchoTarget target;
  target.kind = kind;
  target.bytes = *bytes;
  return target;
}

EchoTarget ReadDrip(std::string_view query) {
  static constexpr char kExpected[] =
      "expected /drip?duration=DURATION&bytes=SIZE, at most 1h and 10GiB\n";
  EchoTarget target;
  target.kind = Kind::kDrip;
  target.duration = kSecond;
  target.bytes = 10;
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view parameter = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    const size_t equals = parameter.find('=');
    const std::string_view name = parameter.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : parameter.substr(equals + 1);
    if (name == "duration") {
      const auto duration = ParseDuration(value);
      if (!duration || *duration > kLongest) return Bad(kExpected);
      target.duration = *duration;
    } else if (name == "bytes") {
      const auto bytes = ParseSize(value);
      if (!bytes || *bytes > kMostBytes) return Bad(kExpected);
      target.bytes = *bytes;
    }
  }
  return target;
}

}  // namespace

EchoTarget ParseEchoTarget(std::string_view path) {
  EchoTarget target;
  const size_t mark = path.find('?');
  const std::string_view only = path.substr(0, mark);
  // What follows `prefix`, if the path begins with it.
  std::string_view rest;
  const auto begins = [only, &rest](std::string_view prefix) {
    if (!only.starts_with(prefix)) return false;
    rest = only.substr(prefix.size());
    return true;
  };
  if (only == "/plain") {
    target.kind = Kind::kPlain;
  } else if (only == "/close") {
    target.kind = Kind::kClose;
  } else if (only == "/reset") {
    target.kind = Kind::kReset;
  } else if (only == "/drip") {
    return ReadDrip(mark == std::string_view::npos ? std::string_view() : path.substr(mark + 1));
  } else if (begins("/status/")) {
    return ReadStatus(rest);
  } else if (begins("/delay/")) {
    return ReadDelay(rest);
  } else if (begins("/bytes/")) {
    return ReadBytes(Kind::kBytes, rest);
  } else if (begins("/chunked/")) {
    return ReadBytes(Kind::kChunked, rest);
  }
  return target;
}

}  // namespace sluice
