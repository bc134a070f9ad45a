#include "tests/support/counting_load.h"

#include <utility>

#include "tests/support/blocking_socket.h"
#include "tests/support/web_socket_frames.h"

namespace sluice::test {
namespace {

constexpr size_t kMostFailures = 20;
// Between a WebSocket's echo and its next message.
constexpr int kEchoPauseMs = 5;

}  // namespace

CountingLoad::CountingLoad(Options options) : options_(std::move(options)) {
  if (!options_.fresh.empty()) threads_.emplace_back([this] { RunFresh(); });
  if (!options_.kept.empty()) threads_.emplace_back([this] { RunKept(); });
  if (options_.sockets.empty()) return;
  for (int i = 0; i < options_.socket_count; ++i) threads_.emplace_back([this] { RunSocket(); });
}

void CountingLoad::Stop() {
  stop_ = true;
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void CountingLoad::AddFailure(std::string_view who, uint64_t number, std::string_view what) {
  const std::lock_guard lock(mutex_);
  if (failures_.size() == kMostFailures) return;
  failures_.push_back(std::string(who) + " " + std::to_string(number) + ": " + std::string(what));
}

std::string CountingLoad::failures() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const std::string& failure : failures_) text += failure + "\n";
  return text;
}

void CountingLoad::RunFresh() {
  std::string head;
  std::string body;
  while (!stop_) {
    BlockingSocket socket;
    const bool answered =
        socket.Connect(options_.fresh) &&
        socket.Send("GET /fresh HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n") &&
        socket.ReceiveResponse(head, body);
    if (!answered || !head.starts_with("HTTP/1.1 200 ")) {
      AddFailure("request with its own connection", fresh_, answered ? head : socket.error());
      continue;
    }
    ++fresh_;
  }
}

void CountingLoad::RunKept() {
  std::string head;
  std::string body;
  BlockingSocket socket;
  while (!stop_) {
    if (socket.open() && socket.PeerClosed()) socket.Close();
    if (!socket.open() && !socket.Connect(options_.kept)) {
      AddFailure("kept connection at request", kept_, socket.error());
      continue;
    }
    const bool answered = socket.Send("GET /kept HTTP/1.1\r\nHost: a.example\r\n\r\n") &&
                          socket.ReceiveResponse(head, body);
    if (!answered || !head.starts_with("HTTP/1.1 200 ")) {
      AddFailure("kept connection at request", kept_, answered ? head : socket.error());
      socket.Close();
      continue;
    }
    ++kept_;
    if (HeaderOf(head, "connection") == "close") socket.Close();
  }
}

void CountingLoad::RunSocket() {
  while (!stop_) {
    BlockingSocket socket;
    std::string head;
    std::string body;
    const bool opened = socket.Connect(options_.sockets) && socket.Send(kWebSocketRequest) &&
                        socket.ReceiveResponse(head, body);
    if (!opened || !head.starts_with("HTTP/1.1 101 ")) {
      AddFailure("WebSocket", opened_sockets_, opened ? head : socket.error());
      continue;
    }
    ++opened_sockets_;
    ++open_sockets_;
    std::string received;
    for (int i = 0; !stop_; ++i) {
      const std::string text = "message " + std::to_string(i);
      if (!socket.Send(WebSocketFrame(text, true))) break;
      std::string echo;
      while (!TakeWebSocketFrame(received, echo) && socket.Receive(received)) {
      }
      if (!socket.open()) break;
      if (echo != text) AddFailure("WebSocket", i, "got \"" + echo + "\"");
      ++echoes_;
      socket.AwaitInput(kEchoPauseMs);
    }
    --open_sockets_;
    if (!socket.open()) ++ended_sockets_;
  }
}

}  // namespace sluice::test
