#include "tests/support/blocking_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace sluice::test {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

}  // namespace

std::string HeaderOf(std::string_view head, std::string_view name) {
  const std::string lower = Lower(head);
  const std::string begin = "\r\n" + Lower(name) + ":";
  const size_t found = lower.find(begin);
  if (found == std::string::npos) return {};
  const size_t value = lower.find_first_not_of(' ', found + begin.size());
  return lower.substr(value, lower.find("\r\n", value) - value);
}

BlockingSocket::BlockingSocket(Fd fd) : fd_(std::move(fd)) {
  const timeval patience{kPatienceMs / 1000, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  const int on = 1;
  setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

bool BlockingSocket::Fail(std::string_view what) {
  error_ = std::string(what) + ": " + std::strerror(errno);
  Close();
  return false;
}

bool BlockingSocket::Connect(const Address& server) {
  sockaddr_storage storage;
  const socklen_t size = server.ToSockaddr(storage);
  *this = BlockingSocket(Fd(socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  if (connect(fd_.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0) return true;
  return Fail("connect");
}

bool BlockingSocket::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return Fail("send");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool BlockingSocket::Receive(std::string& out) {
  char piece[65536];
  for (;;) {
    const ssize_t got = recv(fd_.get(), piece, sizeof(piece), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail("receive");
    if (got == 0) {
      error_ = "the peer closed";
      Close();
      return false;
    }
    out.append(piece, static_cast<size_t>(got));
    return true;
  }
}

bool BlockingSocket::ReceiveResponse(std::string& head, std::string& body) {
  head.swap(unread_);
  unread_.clear();
  size_t end;
  while ((end = head.find("\r\n\r\n")) == std::string::npos) {
    if (!Receive(head)) return false;
  }
  body = head.substr(end + 4);
  head.resize(end + 4);
  const size_t length = std::strtoul(HeaderOf(head, "content-length").c_str(), nullptr, 10);
  while (body.size() < length) {
    if (!Receive(body)) return false;
  }
  unread_ = body.substr(length);
  body.resize(length);
  return true;
}

bool BlockingSocket::PeerClosed() const {
  char byte;
  return recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void BlockingSocket::AwaitInput(int milliseconds) const {
  pollfd input{fd_.get(), POLLIN, 0};
  poll(&input, 1, milliseconds);
}

}  // namespace sluice::test
