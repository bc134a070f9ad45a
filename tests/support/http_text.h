// HttpText: one HTTP/1 message taken from the front of raw bytes, for tests to look into. Written
// apart from the product's codec, so that both would have to be wrong alike; strict about what the
// product writes, since a test that reads a bad message must fail.
#ifndef SLUICE_TESTS_SUPPORT_HTTP_TEXT_H_
#define SLUICE_TESTS_SUPPORT_HTTP_TEXT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::test {

struct HttpText {
  using Fields = std::vector<std::pair<std::string, std::string>>;

  std::string start_line;
  int status = 0;  // of a response
  Fields headers;  // in the order and case of the wire
  std::string body;
  Fields trailers;
  size_t size = 0;           // bytes on the wire
  bool until_close = false;  // the body ended with the connection

  // The values of all fields of that name, joined by ", "; nothing if there is none.
  std::optional<std::string> Header(std::string_view name) const;
};

enum class HttpTextKind {
  kRequest,
  kResponse,
  kResponseToHead,     // never has a body
  kResponseToConnect,  // no body if 2xx
};

struct HttpTextResult {
  enum class State { kComplete, kIncomplete, kBroken };
  State state = State::kIncomplete;
  HttpText message;
  std::string why;  // kBroken
};

// `ended`: no more bytes will come.
HttpTextResult TakeHttpText(std::string_view bytes, HttpTextKind kind, bool ended);

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_HTTP_TEXT_H_
