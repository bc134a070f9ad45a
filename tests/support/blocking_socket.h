// BlockingSocket: a stream socket for a test's thread of its own: each call waits, for kPatience at
// most, and says what went wrong. For load; what needs exact bytes in an exact order is RawClient.
#ifndef SLUICE_TESTS_SUPPORT_BLOCKING_SOCKET_H_
#define SLUICE_TESTS_SUPPORT_BLOCKING_SOCKET_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "core/net/address.h"
#include "core/net/fd.h"

namespace sluice::test {

class BlockingSocket {
 public:
  static constexpr int kPatienceMs = 20'000;

  BlockingSocket() = default;
  explicit BlockingSocket(Fd fd);

  bool Connect(const Address& server);
  bool Send(std::string_view bytes);
  // Appends what is there, or comes, to `out`; false at the end or after an error.
  bool Receive(std::string& out);
  // One whole message with a Content-Length, or without a body. False, with error(), if it did not
  // come whole; what came of it is in `head`.
  bool ReceiveResponse(std::string& head, std::string& body);
  // Has the peer closed by now?
  bool PeerClosed() const;
  // Waits for something to come, or for the peer's end, but no longer than this.
  void AwaitInput(int milliseconds) const;
  void Close() {
    fd_.Close();
    unread_.clear();
  }

  bool open() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }
  const std::string& error() const { return error_; }

 private:
  bool Fail(std::string_view what);

  Fd fd_;
  std::string unread_;
  std::string error_;
};

// The value of a header of `head`, in lower case; empty if it has none.
std::string HeaderOf(std::string_view head, std::string_view name);

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_BLOCKING_SOCKET_H_
