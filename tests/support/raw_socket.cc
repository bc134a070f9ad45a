#include "tests/support/raw_socket.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/net/socket.h"

namespace sluice::test {
namespace {

// What one step reads at most, so that the others get their turn.
constexpr size_t kReadSize = 64 * 1024;

bool WouldBlock(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == ENOTCONN || error == EINTR;
}

}  // namespace

RawSocket::RawSocket(Driver& driver, Fd fd) : driver_(driver), fd_(std::move(fd)) {
  driver_.Add(*this);
}

RawSocket::~RawSocket() { driver_.Remove(*this); }

void RawSocket::Send(std::string_view bytes) { SendInPieces(bytes, 0); }
void RawSocket::SendByteByByte(std::string_view bytes) { SendInPieces(bytes, 1); }
void RawSocket::SendInPieces(std::string_view bytes, size_t size) {
  if (!bytes.empty()) queue_.push_back({Kind::kBytes, std::string(bytes), size});
}
void RawSocket::HalfClose() { queue_.push_back({Kind::kHalfClose, {}}); }
void RawSocket::Close() { queue_.push_back({Kind::kClose, {}}); }
void RawSocket::Reset() { queue_.push_back({Kind::kReset, {}}); }

bool RawSocket::Step() {
  const bool wrote = StepWrite();
  const bool read = StepRead();
  return wrote || read;
}

bool RawSocket::StepWrite() {
  bool busy = false;
  while (!queue_.empty() && !closed()) {
    Action& action = queue_.front();
    if (action.kind == Kind::kBytes) {
      if (!WriteSome(action)) return busy;
      busy = true;
      const bool done = closed() || queue_.empty() || action.sent == action.bytes.size();
      const bool more_pieces = !done && action.piece > 0;
      if (done && !queue_.empty()) queue_.pop_front();
      // The product sees this piece before the next.
      if (more_pieces || (done && !queue_.empty() && queue_.front().piece > 0)) return true;
      continue;
    }
    const Kind kind = action.kind;
    queue_.pop_front();
    busy = true;
    if (kind == Kind::kHalfClose) {
      ShutdownWrite(fd_.get());
      continue;
    }
    if (kind == Kind::kReset) ResetOnClose(fd_.get());
    fd_ = Fd();
    queue_.clear();
  }
  return busy;
}

// False: the kernel takes nothing now.
bool RawSocket::WriteSome(Action& action) {
  size_t size = action.bytes.size() - action.sent;
  if (action.piece > 0) size = std::min(size, action.piece);
  const ssize_t written =
      send(fd_.get(), action.bytes.data() + action.sent, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (written >= 0) {
    action.sent += static_cast<size_t>(written);
    return true;
  }
  if (WouldBlock(errno)) return false;
  // What the peer no longer takes is dropped; what was to follow it, a close, is still done. What
  // came before the reset can still be read.
  if (errno == ECONNRESET) peer_reset_ = true;
  action.sent = action.bytes.size();
  return true;
}

bool RawSocket::StepRead() {
  if (closed() || !reading_ || ended_) return false;
  char bytes[kReadSize];
  const ssize_t size = recv(fd_.get(), bytes, sizeof(bytes), MSG_DONTWAIT);
  if (size > 0) {
    received_.append(bytes, static_cast<size_t>(size));
    return true;
  }
  if (size < 0 && WouldBlock(errno)) return false;
  ended_ = true;
  if (size < 0) {
    peer_reset_ = true;
  } else {
    // A reset that a write was told of reads as an end.
    peer_closed_ = !peer_reset_;
  }
  return true;
}

void RawSocket::AddPollFds(std::vector<pollfd>& fds) const {
  if (closed()) return;
  short events = 0;
  if (reading_ && !ended()) events = static_cast<short>(events | POLLIN);
  if (!queue_.empty()) events = static_cast<short>(events | POLLOUT);
  if (events != 0) fds.push_back({fd_.get(), events, 0});
}

}  // namespace sluice::test
