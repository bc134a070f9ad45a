// RawClient: a client that sends exactly the bytes that a test gives it, and reads what comes back.
// Its waits drive everything that its Driver knows, and fail the test rather than hang.
#ifndef SLUICE_TESTS_SUPPORT_RAW_CLIENT_H_
#define SLUICE_TESTS_SUPPORT_RAW_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/net/address.h"
#include "tests/support/http_text.h"
#include "tests/support/raw_socket.h"

namespace sluice::test {

class RawClient final : public RawSocket {
 public:
  // Connects; fails the test if nobody listens there.
  RawClient(Driver& driver, const Address& server);
  // 127.0.0.1
  RawClient(Driver& driver, uint16_t port);

  // What came and was not taken by a Read yet.
  std::string_view unread() const { return std::string_view(received()).substr(taken_); }

  // Each takes what it returns off the front of unread(), and returns nothing after a failure.
  std::string Read(size_t size);
  // Up to and with `text`.
  std::string ReadThrough(std::string_view text);
  // Everything until the server closes or resets.
  std::string ReadToEnd();
  // One response, an informational one too. status is 0 after a failure.
  HttpText ReadResponse(HttpTextKind kind = HttpTextKind::kResponse);
  // Waits until the server has closed or reset; anything unread stays.
  bool WaitForEnd();
  // Waits until all that was queued is with the kernel.
  bool WaitUntilSent();

 private:
  std::string Take(size_t size);

  size_t taken_ = 0;
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_RAW_CLIENT_H_
