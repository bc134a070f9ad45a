// What the fields of a head say about the body behind it and about the connection (RFC 9112 6 and
// 9). Takes the hop-by-hop fields out of the head: Connection and whatever it names, Keep-Alive,
// Proxy-Connection, Transfer-Encoding, TE but for `trailers`.
#ifndef SLUICE_CORE_HTTP_HTTP1_FRAMING_H_
#define SLUICE_CORE_HTTP_HTTP1_FRAMING_H_

#include <cstdint>
#include <optional>

#include "core/http/http1/fault.h"
#include "core/http/message.h"

namespace sluice::http1 {

struct Framing {
  bool chunked = false;
  bool keep_alive = false;         // may the connection be used again?
  bool upgrade = false;            // Connection: upgrade
  std::optional<uint64_t> length;  // Content-Length
  // For how long the peer keeps the connection when it is idle (Keep-Alive: timeout). 0: it does
  // not, or takes no further request (max=0), or what it says makes no sense.
  std::optional<uint32_t> idle_seconds;
};

// Null if the fields agree with one another.
const Fault* ReadFraming(Headers& headers, Protocol protocol, Framing& framing);

}  // namespace sluice::http1

#endif  // SLUICE_CORE_HTTP_HTTP1_FRAMING_H_
