#include "core/net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "core/base/strings.h"

namespace sluice {
namespace {

Error ConnectError(std::string_view what, int errno_value) {
  Error error = SystemError(what, errno_value, Side::kUpstream);
  switch (errno_value) {
    case EAGAIN:  // unix(7): the listener's queue is full
    case ENOENT:  // there is no such unix socket: nobody listens
      error.code = Code::kRefused;
      break;
    case EINPROGRESS:
    case EALREADY:
      error.code = Code::kTimeout;
      break;
    default:
      break;
  }
  error.retry = Retry::kSafe;
  return error;
}

}  // namespace

Result<Fd> StartConnect(const Address& address) {
  sockaddr_storage storage;
  const socklen_t size = address.ToSockaddr(storage);
  if (size == 0) return Fail(Code::kInternal, "connect: no address");
  Fd fd(socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) {
    Error error = SystemError(StrCat({"socket for ", address.ToString()}), errno);
    error.retry = Retry::kSafe;
    return Fail(std::move(error));
  }
  if (address.is_ip()) {
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  int result;
  do {
    result = connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno != EINPROGRESS) {
    const int error = errno;
    return Fail(ConnectError(StrCat({"connect ", address.ToString()}), error));
  }
  return fd;
}

Result<void> FinishConnect(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return Fail(ConnectError("connect", error));
  return {};
}

Address LocalAddress(int fd) {
  sockaddr_storage storage;
  socklen_t size = sizeof(storage);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return Address::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), size);
}

void ShutdownWrite(int fd) { shutdown(fd, SHUT_WR); }

void ResetOnClose(int fd) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

}  // namespace sluice
