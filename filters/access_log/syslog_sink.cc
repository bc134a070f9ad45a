#include "filters/access_log/syslog_sink.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/strings.h"

namespace sluice::access_log {
namespace {
constexpr int kPollMillis = 100;
}  // namespace

Result<std::unique_ptr<SyslogSink>> SyslogSink::Open(std::string socket, int priority,
                                                     std::string_view tag, Clock& clock) {
  if (socket.size() >= sizeof(sockaddr_un::sun_path)) {
    return Fail(Code::kInvalidArgument, StrCat({"socket path too long: ", socket}));
  }
  auto time = TimeFormat::Compile("%b %e %T", TimeFormat::Zone::kLocal);
  if (!time) return Fail(time.error());
  std::unique_ptr<SyslogSink> sink(new SyslogSink(std::move(socket), std::move(*time), clock));
  sink->priority_ = StrCat({"<", Decimal(static_cast<uint64_t>(priority)), ">"});
  sink->tag_ = StrCat({" ", tag, "[", Decimal(static_cast<uint64_t>(getpid())), "]: "});
  (void)sink->Reopen();
  return sink;
}

SyslogSink::~SyslogSink() {
  if (fd_ >= 0) close(fd_);
}

Result<void> SyslogSink::Reopen() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Fail(SystemError("socket", errno));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const int error = errno;
    close(fd);
    return Fail(SystemError(StrCat({"connect ", socket_}), error));
  }
  fd_ = fd;
  return {};
}

int SyslogSink::Send(std::string_view line) {
  message_.assign(priority_);
  char time[TimeFormat::kMaxText];
  message_.append(time, static_cast<size_t>(time_.Write(time, clock_.Wall()) - time));
  message_.append(tag_);
  message_.append(line);
  // The daemon may have been restarted: once more on a new socket.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (fd_ < 0 && !Reopen()) return ENOTCONN;
    ssize_t sent;
    do {
      sent = send(fd_, message_.data(), message_.size(), MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) return 0;
    if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE) return errno;
    close(std::exchange(fd_, -1));
  }
  return ENOTCONN;
}

LogSink::Outcome SyslogSink::Write(std::string_view data) {
  Outcome outcome;
  while (outcome.taken < data.size()) {
    const std::string_view rest = data.substr(outcome.taken);
    const size_t end = std::min(rest.find('\n'), rest.size());
    const int error = Send(rest.substr(0, end));
    if (error == EMSGSIZE) {
      ++outcome.lost;
    } else if (error != 0) {
      if (error == EAGAIN && outcome.taken == 0) {
        pollfd ready{fd_, POLLOUT, 0};
        poll(&ready, 1, kPollMillis);
      }
      // Nobody listens, or not fast enough: the rest is tried again.
      outcome.error = outcome.taken == 0 ? error : 0;
      return outcome;
    }
    outcome.taken += std::min(end + 1, rest.size());
  }
  return outcome;
}

}  // namespace sluice::access_log
