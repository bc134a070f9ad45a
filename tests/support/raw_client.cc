#include "tests/support/raw_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "core/base/strings.h"
#include "core/net/socket.h"

namespace sluice::test {
namespace {

Fd ConnectTo(const Address& server) {
  Result<Fd> fd = StartConnect(server);
  if (!fd) {
    ADD_FAILURE() << "connect to " << server.ToString() << ": " << fd.error().detail;
    return {};
  }
  // On one machine a connect ends at once, whether or not somebody accepts.
  pollfd writable{fd->get(), POLLOUT, 0};
  poll(&writable, 1, static_cast<int>(Driver::kGuard / kMillisecond));
  const Result<void> connected = FinishConnect(fd->get());
  // Whoever accepted it may have reset it since: that is the connection's end, not the connect's.
  if (!connected && connected.error().code == Code::kReset) return std::move(*fd);
  EXPECT_TRUE(connected) << "connect to " << server.ToString() << ": "
                         << (connected ? "" : connected.error().detail);
  return std::move(*fd);
}

Address Loopback(uint16_t port) {
  Address address = Address::Parse("127.0.0.1:1").value();
  address.set_port(port);
  return address;
}

// The end of what came, for messages.
std::string Shown(std::string_view bytes) {
  constexpr size_t kMost = 300;
  return testing::PrintToString(
      std::string(bytes.substr(bytes.size() - std::min(bytes.size(), kMost))));
}

}  // namespace

RawClient::RawClient(Driver& driver, const Address& server)
    : RawSocket(driver, ConnectTo(server)) {}
RawClient::RawClient(Driver& driver, uint16_t port) : RawClient(driver, Loopback(port)) {}

std::string RawClient::Take(size_t size) {
  std::string taken(unread().substr(0, size));
  taken_ += taken.size();
  return taken;
}

std::string RawClient::Read(size_t size) {
  driver().RunUntil([&] { return unread().size() >= size || ended() || closed(); }, "bytes");
  if (unread().size() < size) {
    ADD_FAILURE() << "expected " << size << " bytes, got " << unread().size() << ": "
                  << Shown(unread());
    return {};
  }
  return Take(size);
}

std::string RawClient::ReadThrough(std::string_view text) {
  size_t place = std::string_view::npos;
  driver().RunUntil(
      [&] {
        place = unread().find(text);
        return place != std::string_view::npos || ended() || closed();
      },
      StrCat({"a text: ", text}));
  if (place == std::string_view::npos) {
    ADD_FAILURE() << "expected " << testing::PrintToString(std::string(text)) << ", got "
                  << Shown(unread());
    return {};
  }
  return Take(place + text.size());
}

std::string RawClient::ReadToEnd() {
  WaitForEnd();
  return Take(unread().size());
}

HttpText RawClient::ReadResponse(HttpTextKind kind) {
  HttpTextResult result;
  driver().RunUntil(
      [&] {
        result = TakeHttpText(unread(), kind, ended() || closed());
        return result.state != HttpTextResult::State::kIncomplete;
      },
      "a response");
  if (result.state != HttpTextResult::State::kComplete) {
    ADD_FAILURE() << "not a whole response: " << result.why << ": " << Shown(unread());
    return {};
  }
  Take(result.message.size);
  return std::move(result.message);
}

bool RawClient::WaitForEnd() {
  return driver().RunUntil([this] { return ended() || closed(); }, "the server closes");
}

bool RawClient::WaitUntilSent() {
  return driver().RunUntil([this] { return all_sent() || closed(); }, "the server takes the bytes");
}

}  // namespace sluice::test
