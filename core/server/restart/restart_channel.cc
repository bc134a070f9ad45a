#include "core/server/restart/restart_channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/server/restart/restart.pb.h"

namespace sluice {
namespace {

// What `message` carries of fds, each once.
std::vector<Fd> TakeFds(msghdr& message) {
  std::vector<Fd> fds;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
  return fds;
}

constexpr size_t kControlBytes = CMSG_SPACE(sizeof(int) * RestartChannel::kMostFds);

}  // namespace

Result<Fd> RestartChannel::Connect(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Fail(Code::kInvalidArgument, StrCat({path, ": too long for a socket's path"}));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return Fail(SystemError("socket", errno));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return fd;
  }
  const int error = errno;
  if (error == ENOENT || error == ECONNREFUSED) {
    return Fail(Code::kNotFound, StrCat({"nobody listens at ", path}));
  }
  return Fail(SystemError(StrCat({"connect to ", path}), error));
}

RestartChannel::RestartChannel(Loop& loop, RestartChannelHandler& handler, Fd fd)
    : handler_(handler), watch_(loop, *this), fd_(std::move(fd)) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return;
  peer_pid_ = peer.pid;
  peer_user_ = peer.uid;
}

Result<void> RestartChannel::Start() { return watch_.Start(fd_.get(), false); }

void RestartChannel::Close() {
  if (!fd_) return;
  watch_.Stop();
  fd_.Close();
  waiting_.clear();
}

Fd RestartChannel::Release() {
  watch_.Stop();
  return std::move(fd_);
}

void RestartChannel::OnReady(uint32_t) {
  if (!waiting_.empty()) Flush();
  Receive();
}

void RestartChannel::Receive() {
  std::string bytes;
  alignas(cmsghdr) char control[kControlBytes];
  while (fd_) {
    bytes.resize(kMostBytes);
    iovec vector{bytes.data(), bytes.size()};
    msghdr packet{};
    packet.msg_iov = &vector;
    packet.msg_iovlen = 1;
    packet.msg_control = control;
    packet.msg_controllen = sizeof(control);
    const ssize_t size = recvmsg(fd_.get(), &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (size < 0) {
      if (errno == EAGAIN) return;
      if (errno == EINTR) continue;
      // The peer has closed and left something unread; what it said before is still there.
      if (errno == ECONNRESET) continue;
      return End(SystemError("receive", errno).detail);
    }
    std::vector<Fd> fds = TakeFds(packet);
    if (size == 0) return End("it is gone");
    if ((packet.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return End("its message is too long");
    restart::Message message;
    // One of no kind is of a kind that a later version has.
    if (!message.ParseFromArray(bytes.data(), static_cast<int>(size))) {
      return End("it sent what is no message");
    }
    handler_.OnRestartMessage(message, fds);
  }
}

void RestartChannel::Send(const restart::Message& message, const std::vector<int>& fds) {
  CHECK(fds.size() <= kMostFds);
  if (!fd_) return;
  Packet packet{message.SerializeAsString(), {}};
  // They are needed until the packet has left, and the caller may close its own before.
  for (const int fd : fds) packet.fds.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  waiting_.push_back(std::move(packet));
  if (waiting_.size() == 1) Flush();
}

void RestartChannel::Flush() {
  while (!waiting_.empty()) {
    if (!SendPacket(waiting_.front())) return watch_.WatchWritable();
    waiting_.pop_front();
  }
}

bool RestartChannel::SendPacket(const Packet& packet) {
  alignas(cmsghdr) char control[kControlBytes] = {};
  // sendmsg does not write to it.
  iovec vector{const_cast<char*>(packet.bytes.data()), packet.bytes.size()};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  if (!packet.fds.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(sizeof(int) * packet.fds.size());
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int) * packet.fds.size());
    for (size_t i = 0; i < packet.fds.size(); ++i) {
      const int fd = packet.fds[i].get();
      std::memcpy(CMSG_DATA(part) + i * sizeof(int), &fd, sizeof(int));
    }
  }
  while (sendmsg(fd_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno == EINTR) continue;
    // A peer that is gone shows when reading.
    return errno != EAGAIN && errno != ENOBUFS;
  }
  return true;
}

void RestartChannel::End(std::string_view why) {
  Close();
  handler_.OnRestartChannelClosed(why);
}

}  // namespace sluice
