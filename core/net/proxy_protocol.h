// The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): a header before the first
// byte of a connection that tells whose connection it really is. Bytes in, values out; no state.
//
// Strict: what two readers could take differently is an error. Version 1 has at most 107 bytes,
// version 2 at most kMaxProxyHeader here; extensions (TLV) are skipped, but their lengths and a
// CRC32C must be right.
#ifndef SLUICE_CORE_NET_PROXY_PROTOCOL_H_
#define SLUICE_CORE_NET_PROXY_PROTOCOL_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/net/address.h"

namespace sluice {

// The longest header that is taken.
inline constexpr size_t kMaxProxyHeader = 4096;
// The longest header that is written: version 2 with two unix-domain addresses and a CRC32C.
inline constexpr size_t kMaxWrittenProxyHeader = 16 + 216 + 7;

struct ProxyHeader {
  // What the sender says about the connection. Both are kNone when it says nothing (a health check
  // of its own, version 1's UNKNOWN, version 2's LOCAL and UNSPEC): the connection's own addresses
  // count then.
  Address source;
  Address destination;
};

struct ProxyHeaderResult {
  enum class Status : uint8_t {
    kNeedMore,  // a header so far: read more, and call again with all bytes
    kDone,      // the header was the first `size` bytes
    kAbsent,    // the bytes begin with something else
    kError,     // a header that is wrong: `detail`
  };
  Status status = Status::kNeedMore;
  size_t size = 0;
  std::string_view detail;  // static text, for the log
};

// Reads a header from the first byte of a connection on. `header` is filled at kDone.
ProxyHeaderResult ParseProxyHeader(std::string_view bytes, ProxyHeader& header);

// Write the header that tells these addresses, or that there is nothing to tell if one of them is
// kNone; return its size. REQUIRES: room for kMaxWrittenProxyHeader. Version 1 cannot tell
// unix-domain addresses: it says UNKNOWN.
size_t WriteProxyHeaderV1(const Address& source, const Address& destination, char* out);
size_t WriteProxyHeaderV2(const Address& source, const Address& destination, char* out);

}  // namespace sluice

#endif  // SLUICE_CORE_NET_PROXY_PROTOCOL_H_
