// EchoReport: what the echo server says of a request, as JSON:
//
//   { "name": "echo", "client": "127.0.0.1:4711", "protocol": "HTTP/1.1", "method": "POST",
//     "host": "a.example", "path": "/a", "query": "b=1", "headers": { "x-a": "1", "x-b": ["2", "3"]
//     }, "body": "text", "body_size": 4 }
//
// Names of fields as they came; of one that came twice, a list. A body that is not UTF-8 is
// "body_base64". Beyond kMaxBody, "body_truncated" is true. "trailers" like headers, if there were
// any. Bytes of headers that are not UTF-8 are replaced by U+FFFD.
#ifndef SLUICE_CORE_SERVER_ECHO_REPORT_H_
#define SLUICE_CORE_SERVER_ECHO_REPORT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/http/message.h"

namespace sluice {

struct EchoReport {
  // How much of a body is said back.
  static constexpr size_t kMaxBody = 1 << 20;

  std::string_view name;
  std::string_view client;
  const RequestHead& head;
  const std::string& body;  // at most kMaxBody of it
  uint64_t body_size;       // all of it
  const Headers* trailers;  // may be null

  std::string ToJson() const;
};

// RFC 4648, section 4.
std::string Base64(std::string_view bytes);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ECHO_REPORT_H_
