#include "tests/support/scripted_upstream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "core/net/listen_socket.h"

namespace sluice::test {

bool ScriptedConnection::Step() {
  bool busy = RawSocket::Step();
  while (StepScript()) busy = true;
  return busy;
}

bool ScriptedConnection::StepScript() {
  if (next_ == script_.actions_.size()) return false;
  const Script::Action& action = script_.actions_[next_];
  const std::string_view rest = std::string_view(received()).substr(awaited_);
  switch (action.kind) {
    case Script::Kind::kAwaitRequest:
      if (!TakeRequest()) return false;
      break;
    case Script::Kind::kAwaitBytes:
      if (rest.size() < action.size) return false;
      awaited_ += action.size;
      break;
    case Script::Kind::kAwaitText: {
      const size_t place = rest.find(action.text);
      if (place == std::string_view::npos) return false;
      awaited_ += place + action.text.size();
      break;
    }
    case Script::Kind::kAwaitEnd:
      if (!ended()) return false;
      break;
    case Script::Kind::kStall:
      SetReading(released_ > 0);
      if (!TakeRelease()) return false;
      break;
    case Script::Kind::kHold:
      if (!TakeRelease()) return false;
      break;
    case Script::Kind::kSend:
      SendInPieces(action.text, action.size);
      break;
    case Script::Kind::kHalfClose:
      HalfClose();
      break;
    case Script::Kind::kClose:
      Close();
      break;
    case Script::Kind::kReset:
      Reset();
      break;
    case Script::Kind::kRepeat:
      next_ = 0;
      return true;
  }
  ++next_;
  return true;
}

bool ScriptedConnection::TakeRequest() {
  const std::string_view rest = std::string_view(received()).substr(awaited_);
  HttpTextResult result = TakeHttpText(rest, HttpTextKind::kRequest, false);
  if (result.state == HttpTextResult::State::kBroken) {
    ADD_FAILURE() << "the upstream got a bad request: " << result.why << ": "
                  << testing::PrintToString(std::string(rest));
    next_ = script_.actions_.size();
    return false;
  }
  if (result.state == HttpTextResult::State::kIncomplete) return false;
  awaited_ += result.message.size;
  requests_.push_back(std::move(result.message));
  return true;
}

bool ScriptedConnection::TakeRelease() {
  if (released_ == 0) return false;
  --released_;
  return true;
}

ScriptedUpstream::ScriptedUpstream(Driver& driver)
    : ScriptedUpstream(driver, Address::ParseIp("127.0.0.1").value()) {}

ScriptedUpstream::ScriptedUpstream(Driver& driver, const Address& address) : driver_(driver) {
  Result<ListenSockets> sockets = OpenListenSockets(address, 1);
  if (sockets) {
    address_ = sockets->address;
    listener_ = std::move(sockets->fds.front());
  } else {
    ADD_FAILURE() << "listen at " << address.ToString() << ": " << sockets.error().detail;
  }
  driver_.Add(*this);
}

ScriptedUpstream::~ScriptedUpstream() {
  driver_.Remove(*this);
  if (!address_.empty()) RemoveSocketFile(address_);
}

bool ScriptedUpstream::Step() {
  bool busy = false;
  while (listener_.get() >= 0) {
    Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.get() < 0) break;
    busy = true;
    const size_t index = connections_.size();
    connections_.push_back(std::make_unique<ScriptedConnection>(
        driver_, std::move(fd), index < scripts_.size() ? scripts_[index] : others_));
  }
  return busy;
}

void ScriptedUpstream::AddPollFds(std::vector<pollfd>& fds) const {
  if (listener_.get() >= 0) fds.push_back({listener_.get(), POLLIN, 0});
}

size_t ScriptedUpstream::request_count() const {
  size_t count = 0;
  for (const auto& connection : connections_) count += connection->requests().size();
  return count;
}

bool ScriptedUpstream::WaitForConnections(size_t count) {
  return driver_.RunUntil([&] { return connection_count() >= count; }, "connections");
}

bool ScriptedUpstream::WaitForRequests(size_t count) {
  return driver_.RunUntil([&] { return request_count() >= count; }, "requests");
}

}  // namespace sluice::test
