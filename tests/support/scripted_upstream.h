// ScriptedUpstream: a server that does exactly what a test wrote down: a real listening socket, a
// script for each connection in the order in which they come, and a record of every byte that came.
//
//   test::ScriptedUpstream upstream(driver);
//   upstream.Next().AwaitRequest().Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
//   upstream.Next().AwaitRequest().Send("HTTP/1.1 200 OK\r\nContent-Le").Reset();
//   ...
//   EXPECT_EQ(upstream.connection(0).requests().size(), 1);
//
// A connection without a script, or at the end of it, stays open, reads and records. Of the test's
// thread, like its driver.
#ifndef SLUICE_TESTS_SUPPORT_SCRIPTED_UPSTREAM_H_
#define SLUICE_TESTS_SUPPORT_SCRIPTED_UPSTREAM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/address.h"
#include "core/net/fd.h"
#include "tests/support/http_text.h"
#include "tests/support/raw_socket.h"

namespace sluice::test {

// What a connection does, step after step.
class Script {
 public:
  // Waits for one more whole request, its body included.
  Script& AwaitRequest() { return Add(Kind::kAwaitRequest, {}, 0); }
  // Waits until so many bytes, or this text, came behind what was awaited before.
  Script& AwaitBytes(size_t size) { return Add(Kind::kAwaitBytes, {}, size); }
  Script& AwaitText(std::string_view text) { return Add(Kind::kAwaitText, text, 0); }
  // Waits until the peer has closed or reset.
  Script& AwaitEnd() { return Add(Kind::kAwaitEnd, {}, 0); }
  // Waits for ScriptedConnection::Release, and does not read meanwhile: the kernel's buffers fill.
  Script& Stall() { return Add(Kind::kStall, {}, 0); }
  // Waits for ScriptedConnection::Release, and goes on reading.
  Script& Hold() { return Add(Kind::kHold, {}, 0); }

  Script& Send(std::string_view bytes) { return Add(Kind::kSend, bytes, 0); }
  Script& SendByteByByte(std::string_view bytes) { return Add(Kind::kSend, bytes, 1); }
  Script& SendInPieces(std::string_view bytes, size_t size) {
    return Add(Kind::kSend, bytes, size);
  }
  Script& HalfClose() { return Add(Kind::kHalfClose, {}, 0); }
  Script& Close() { return Add(Kind::kClose, {}, 0); }
  Script& Reset() { return Add(Kind::kReset, {}, 0); }
  // From the beginning again. REQUIRES: some step before it awaits something.
  Script& Repeat() { return Add(Kind::kRepeat, {}, 0); }

 private:
  friend class ScriptedConnection;
  enum class Kind {
    kAwaitRequest,
    kAwaitBytes,
    kAwaitText,
    kAwaitEnd,
    kStall,
    kHold,
    kSend,
    kHalfClose,
    kClose,
    kReset,
    kRepeat,
  };
  struct Action {
    Kind kind;
    std::string text;
    size_t size;
  };
  Script& Add(Kind kind, std::string_view text, size_t size) {
    actions_.push_back({kind, std::string(text), size});
    return *this;
  }

  std::vector<Action> actions_;
};

// One connection that the upstream accepted. A test may also drive it by hand: it is a RawSocket.
class ScriptedConnection final : public RawSocket {
 public:
  ScriptedConnection(Driver& driver, Fd fd, Script script)
      : RawSocket(driver, std::move(fd)), script_(std::move(script)) {}

  // The requests that AwaitRequest took, whole and in order.
  const std::vector<HttpText>& requests() const { return requests_; }
  // Goes on behind the Stall or Hold that it waits at, or will.
  void Release() { ++released_; }
  // All of the script was done, and what it sent is with the kernel.
  bool script_done() const { return next_ == script_.actions_.size() && all_sent(); }

  bool Step() override;

 private:
  // Does the next action; false: it waits.
  bool StepScript();
  bool TakeRequest();
  bool TakeRelease();

  Script script_;
  size_t next_ = 0;
  size_t awaited_ = 0;  // bytes of received() that the script has passed
  int released_ = 0;
  std::vector<HttpText> requests_;
};

class ScriptedUpstream final : public Actor {
 public:
  // Listens at 127.0.0.1, on a port that the kernel chooses.
  explicit ScriptedUpstream(Driver& driver);
  ScriptedUpstream(Driver& driver, const Address& address);
  ~ScriptedUpstream() override;
  ScriptedUpstream(const ScriptedUpstream&) = delete;
  ScriptedUpstream& operator=(const ScriptedUpstream&) = delete;

  const Address& address() const { return address_; }
  uint16_t port() const { return address_.port(); }
  std::string text() const { return address_.ToString(); }  // as the config's endpoints write it

  // The script of the next connection that has none yet; to be filled in at once.
  Script& Next() { return scripts_.emplace_back(); }
  // The script of all connections beyond those of Next.
  Script& Others() { return others_; }
  // Answers each request on each connection with these bytes.
  void AlwaysAnswer(std::string_view response) {
    others_ = Script().AwaitRequest().Send(response).Repeat();
  }
  // Stops listening: further connects are refused.
  void StopListening() { listener_ = Fd(); }

  // How many connections came, and each of them, also when it is over.
  size_t connection_count() const { return connections_.size(); }
  ScriptedConnection& connection(size_t index) { return *connections_.at(index); }
  // Over all connections.
  size_t request_count() const;
  // Runs the driver until so many connections, or requests, came.
  bool WaitForConnections(size_t count);
  bool WaitForRequests(size_t count);

  bool Step() override;
  void AddPollFds(std::vector<pollfd>& fds) const override;

 private:
  Driver& driver_;
  Address address_;
  Fd listener_;
  std::deque<Script> scripts_;  // a deque: Next's references stay
  Script others_;
  std::vector<std::unique_ptr<ScriptedConnection>> connections_;
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_SCRIPTED_UPSTREAM_H_
