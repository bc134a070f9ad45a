// What a path asks the echo server for.
//
//   /plain            "ok", as fast as can be: no JSON, nothing of the request is looked at
//   /status/N         an answer with status N, 200 to 599
//   /delay/DURATION   what any other path says, after 250ms, 2s, ...; at most an hour
//   /bytes/SIZE       so many bytes (1000, 64KiB), with Content-Length; at most 10GiB
//   /chunked/SIZE     the same without Content-Length
//   /drip?duration=1s&bytes=10   so many bytes, spread evenly over the duration
//   /close            an answer after which the connection is closed
//   /reset            half an answer, then the connection is reset
//   anything else     the request as JSON
//
// Pure values.
#ifndef SLUICE_CORE_SERVER_ECHO_TARGET_H_
#define SLUICE_CORE_SERVER_ECHO_TARGET_H_

#include <cstdint>
#include <string_view>

#include "core/base/clock.h"

namespace sluice {

struct EchoTarget {
  enum class Kind : uint8_t {
    kReport,
    kPlain,
    kStatus,
    kBytes,
    kChunked,
    kDrip,
    kClose,
    kReset,
    kBad,  // `fault` says why
  };

  Kind kind = Kind::kReport;
  uint16_t status = 200;
  Nanos delay = 0;
  Nanos duration = 0;
  uint64_t bytes = 0;
  const char* fault = nullptr;
};

// `path` is path and query.
EchoTarget ParseEchoTarget(std::string_view path);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ECHO_TARGET_H_
