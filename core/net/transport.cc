#include "core/net/transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "core/net/socket.h"

namespace sluice {
namespace {

class PlainTransport final : public Transport {
 public:
  explicit PlainTransport(int fd) : fd_(fd) {}
  ~PlainTransport() override { close(fd_); }
  PlainTransport(const PlainTransport&) = delete;
  PlainTransport& operator=(const PlainTransport&) = delete;

  int fd() const override { return fd_; }

  IoResult Read(char* data, size_t size) override {
    for (;;) {
      const ssize_t n = recv(fd_, data, size, 0);
      if (n > 0) {
        const size_t bytes = static_cast<size_t>(n);
        return {IoResult::Status::kOk, bytes < size, 0, bytes};
      }
      if (n == 0) return {IoResult::Status::kEnd, true, 0, 0};
      if (errno == EINTR) continue;
      return Refusal(IoResult::Status::kWaitReadable);
    }
  }

  IoResult Write(const struct iovec* vectors, int count) override {
    for (;;) {
      ssize_t n;
      size_t size = 0;
      if (count == 1) {
        size = vectors[0].iov_len;
        n = send(fd_, vectors[0].iov_base, size, MSG_NOSIGNAL);
      } else {
        for (int i = 0; i < count; ++i) size += vectors[i].iov_len;
        msghdr message{};
        message.msg_iov = const_cast<struct iovec*>(vectors);
        message.msg_iovlen = static_cast<size_t>(count);
        n = sendmsg(fd_, &message, MSG_NOSIGNAL);
      }
      if (n >= 0) {
        const size_t bytes = static_cast<size_t>(n);
        return {IoResult::Status::kOk, bytes < size, 0, bytes};
      }
      if (errno == EINTR) continue;
      return Refusal(IoResult::Status::kWaitWritable);
    }
  }

  void ShutdownWrite() override { sluice::ShutdownWrite(fd_); }
  void ResetOnClose() override { sluice::ResetOnClose(fd_); }

 private:
  static IoResult Refusal(IoResult::Status wait) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {wait, true, 0, 0};
    return {IoResult::Status::kFailed, true, errno, 0};
  }

  int fd_;
};

}  // namespace

std::unique_ptr<Transport> NewPlainTransport(int fd) {
  return std::make_unique<PlainTransport>(fd);
}

}  // namespace sluice
