// The heads of messages as filters see them, whatever protocol they came in. Framing (transfer
// coding, keep-alive) is the codec's: a head never holds Transfer-Encoding, and what a codec writes
// follows from content-length, `end` and the peer's protocol.
#ifndef SLUICE_CORE_HTTP_MESSAGE_H_
#define SLUICE_CORE_HTTP_MESSAGE_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/http/headers.h"

namespace sluice {

enum class Protocol : uint8_t { kHttp10, kHttp11, kHttp2 };
std::string_view ProtocolName(Protocol protocol);  // "HTTP/1.1"

// The methods that the proxy itself treats in a special way; every other one is kOther.
enum class Method : uint8_t {
  kOther,
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kConnect,
  kOptions,
  kTrace,
  kPatch
};
Method FindMethod(std::string_view name);
// May be sent twice (RFC 9110 9.2.2).
bool IsIdempotent(Method method);

struct RequestHead {
  explicit RequestHead(Arena& arena) : headers(arena) {}

  // `name` lives as long as the head.
  void SetMethod(std::string_view name) {
    method_name_ = name;
    method_ = FindMethod(name);
  }
  Method method() const { return method_; }
  std::string_view method_name() const { return method_name_; }

  Protocol protocol = Protocol::kHttp11;
  // "http" or "https"; from absolute-form or :scheme, else empty until the connection fills it in.
  std::string_view scheme;
  // The host and port asked for: from absolute-form, :authority or Host; Host is kept equal to it.
  std::string_view authority;
  // Path and query as they go on, "*" for OPTIONS, empty for CONNECT. The codec gives it as it was
  // sent; the proxy normalises it before anything matches on it.
  std::string_view path;
  Headers headers;
  // What the body's framing said: nothing when chunked or unknown; 0 when there is none.
  std::optional<uint64_t> content_length;
  // Upgrade's first token, if the request asks for one (Connection: upgrade and Upgrade are both
  // there), or "connect" in lower case for CONNECT; else empty.
  std::string_view upgrade;
  bool expects_continue = false;  // Expect: 100-continue, on a protocol that knows it
  // Keeps the bytes alive that the views point to.
  Slice bytes;
  // How large the head was on the wire, in bytes.
  size_t wire_size = 0;

  std::string_view path_only() const { return path.substr(0, path.find('?')); }
  // Without the question mark; empty when there is none.
  std::string_view query() const {
    const size_t mark = path.find('?');
    return mark == std::string_view::npos ? std::string_view() : path.substr(mark + 1);
  }

 private:
  Method method_ = Method::kOther;  // always that of method_name_
  std::string_view method_name_;
};

struct ResponseHead {
  explicit ResponseHead(Arena& arena) : headers(arena) {}

  uint16_t status = 0;
  Protocol protocol = Protocol::kHttp11;
  std::string_view reason;  // empty: the standard one is written
  Headers headers;
  std::optional<uint64_t> content_length;  // as in RequestHead
  Slice bytes;
  size_t wire_size = 0;
};

// Never followed by a body, whatever its fields say (RFC 9112 6.3), the answer to HEAD apart.
constexpr bool StatusHasNoBody(uint16_t status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace sluice

#endif  // SLUICE_CORE_HTTP_MESSAGE_H_
