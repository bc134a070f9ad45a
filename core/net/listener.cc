#include "core/net/listener.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "core/base/check.h"

namespace sluice {

Result<void> Listener::Start(int fd, bool shared) {
  CHECK(fd_ < 0);
  SLUICE_TRY(watch_.StartListening(fd, shared));
  fd_ = fd;
  shared_ = shared;
  return {};
}

void Listener::Pause() {
  paused_ = true;
  watch_.Stop();
  error_pause_.Cancel();
}

void Listener::Resume() {
  if (!paused_) return;
  paused_ = false;
  Watch();
}

void Listener::TakeQueued() {
  if (!watch_.started()) return;
  for (int i = 0; i < kMostQueued && AcceptOne(); ++i) {
  }
}

void Listener::LookAgain() {
  if (!watch_.started()) return;
  watch_.Stop();
  Watch();
}

bool Listener::HasQueued() const {
  pollfd queue{fd_, POLLIN, 0};
  return poll(&queue, 1, 0) > 0;
}

void Listener::Close() {
  watch_.Stop();
  error_pause_.Cancel();
  fd_ = -1;
  paused_ = false;
}

void Listener::Watch() {
  if (fd_ < 0 || paused_ || watch_.started()) return;
  // epoll is out of memory or of watches: that passes.
  if (!watch_.StartListening(fd_, shared_)) error_pause_.Start(kErrorPause);
}

// A turn takes one connection, and more in a flood: at_once_ doubles when all of them were there.
// An accept4 that finds nothing is dear (the kernel makes a socket and its file first), so each one
// doubles the number of turns that must find all before at_once_ grows.
void Listener::OnReady(uint32_t) {
  for (int i = 0; i < at_once_; ++i) {
    if (!AcceptOne()) {
      if (i > 0 && watch_.started()) patience_ = std::min(patience_ * 2, kMostPatience);
      at_once_ = 1;
      turns_ = 0;
      return;
    }
  }
  if (at_once_ > 1) patience_ = std::max(patience_ / 2, 1);
  if (++turns_ < patience_) return;
  turns_ = 0;
  at_once_ = std::min(at_once_ * 2, kMostAtOnce);
}

bool Listener::AcceptOne() {
  sockaddr_storage storage;
  socklen_t size = sizeof(storage);
  Fd fd(accept4(fd_, reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd) {
    handler_.OnAccept(std::move(fd),
                      Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), size));
    return watch_.started();
  }
  switch (errno) {
    case EAGAIN:
      return false;
    // The connection is gone, or the network's error is reported here (accept(2)): the next may be
    // well.
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ETIMEDOUT:
      return true;
    default:
      PauseForError(errno);
      return false;
  }
}

void Listener::PauseForError(int errno_value) {
  watch_.Stop();
  error_pause_.Start(kErrorPause);
  handler_.OnAcceptPaused(errno_value);
}

}  // namespace sluice
