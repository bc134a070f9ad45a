#include "tests/support/load_upstream.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "core/net/listen_socket.h"
#include "tests/support/blocking_socket.h"
#include "tests/support/web_socket_frames.h"

namespace sluice::test {
namespace {

constexpr uint64_t kPiece = 256 * 1024;

}  // namespace

void PatternSum::Add(std::string_view bytes) {
  for (const char byte : bytes) {
    sum_ = (sum_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  size_ += bytes.size();
}

LoadUpstream::LoadUpstream(uint64_t download_size) : download_size_(download_size) {
  auto sockets = OpenListenSockets(Address::Parse("127.0.0.1:0").value(), 1);
  if (!sockets) {
    ADD_FAILURE() << sockets.error().detail;
    return;
  }
  address_ = sockets->address;
  listener_ = std::move(sockets->fds[0]);
  acceptor_ = std::thread([this] { Accept(); });
}

LoadUpstream::~LoadUpstream() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  changed_.notify_all();
  shutdown(listener_.get(), SHUT_RDWR);  // wakes accept
  if (acceptor_.joinable()) acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
}

void LoadUpstream::Grant(uint64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    granted_ += bytes;
  }
  changed_.notify_all();
}

void LoadUpstream::Accept() {
  for (;;) {
    pollfd ready{listener_.get(), POLLIN, 0};
    poll(&ready, 1, -1);  // the listener does not block
    const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (stop_) {
      if (fd >= 0) close(fd);
      return;
    }
    if (fd < 0) continue;
    open_.push_back(fd);
    threads_.emplace_back([this, fd] { Serve(fd); });
  }
}

void LoadUpstream::Serve(int fd) {
  BlockingSocket socket{Fd(fd)};
  std::string received;
  for (;;) {
    size_t end = std::string::npos;
    while ((end = received.find("\r\n\r\n")) == std::string::npos) {
      // Pooled connections may be silent for long.
      socket.AwaitInput(-1);
      if (!socket.Receive(received)) break;
    }
    if (end == std::string::npos) break;
    const std::string head = received.substr(0, end + 4);
    received.erase(0, end + 4);
    if (!HeaderOf(head, "upgrade").empty()) {
      if (socket.Send(kWebSocketAnswer)) Echo(socket, std::move(received));
      break;
    }
    if (head.starts_with("GET /download ")) {
      if (!SendDownload(socket)) break;
    } else if (!socket.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) {
      break;
    }
  }
  const std::lock_guard lock(mutex_);
  open_.remove(fd);
  socket.Close();
}

void LoadUpstream::Echo(BlockingSocket& socket, std::string received) {
  for (;;) {
    std::string text;
    while (TakeWebSocketFrame(received, text)) {
      if (!socket.Send(WebSocketFrame(text, false))) return;
    }
    socket.AwaitInput(-1);
    if (!socket.Receive(received)) return;
  }
}

bool LoadUpstream::SendDownload(BlockingSocket& socket) {
  if (!socket.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(download_size_) +
                   "\r\n\r\n")) {
    return false;
  }
  std::string piece;
  for (uint64_t sent = 0; sent < download_size_;) {
    uint64_t size;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || granted_ > sent; });
      if (stop_) return false;
      size = std::min({granted_ - sent, download_size_ - sent, kPiece});
    }
    piece.resize(size);
    for (uint64_t i = 0; i < size; ++i) piece[i] = PatternSum::At(sent + i);
    if (!socket.Send(piece)) return false;
    sent += size;
  }
  return true;
}

}  // namespace sluice::test
