#include "filters/access_log/file_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"

namespace sluice::access_log {
namespace {

constexpr int kPollMillis = 100;
constexpr Nanos kRotationRetry = 60 * kSecond;

// Ours, whatever /dev says: opening it anew fails where it is a socket, and truncates nobody's
// offset here. -1: it is another path.
int StandardFd(std::string_view path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  return path == "/dev/stderr" ? STDERR_FILENO : -1;
}

Result<int> OpenPath(const std::string& path, const FileOwner& owner) {
  int fd = StandardFd(path);
  if (fd >= 0) {
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  } else {
    SLUICE_TRY(MakeFileOf(path, owner));
    // O_NONBLOCK: a named pipe without a reader is an error, not a wait. Files do not mind.
    fd =
        open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
  }
  if (fd < 0) return Fail(SystemError(StrCat({"open ", path}), errno));
  return fd;
}

// When the file began to exist, so that its age outlives a restart; 0 if the file system does not
// know.
Nanos BirthOf(int fd) {
  struct statx about {};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &about) != 0) return 0;
  if ((about.stx_mask & STATX_BTIME) == 0) return 0;
  return about.stx_btime.tv_sec * kSecond + about.stx_btime.tv_nsec;
}

}  // namespace

Result<std::unique_ptr<FileSink>> FileSink::Open(std::string path, Clock& clock,
                                                 const FileOwner& owner) {
  std::unique_ptr<FileSink> sink(new FileSink(std::move(path), clock, owner));
  SLUICE_TRY(sink->Reopen());
  return sink;
}

Result<void> FileSink::Check(const std::string& path) {
  if (StandardFd(path) >= 0) return {};
  return CheckAppend(path);
}

FileSink::~FileSink() {
  if (fd_ >= 0) close(fd_);
}

Result<void> FileSink::Reopen() {
  const auto fd = OpenPath(path_, owner_);
  if (!fd) return Fail(fd.error());
  struct stat about {};
  const bool known = fstat(*fd, &about) == 0;
  if (known && S_ISDIR(about.st_mode)) {
    close(*fd);
    return Fail(SystemError(StrCat({"open ", path_}), EISDIR));
  }
  if (fd_ >= 0) close(fd_);
  fd_ = *fd;
  regular_ = known && S_ISREG(about.st_mode);
  size_ = regular_ ? static_cast<uint64_t>(about.st_size) : 0;
  mid_line_ = false;
  const Nanos birth = size_ > 0 ? BirthOf(fd_) : 0;
  born_ = birth > 0 ? birth : clock_.Wall();
  return {};
}

bool FileSink::RotationDue(size_t next_line) const {
  if (!regular_ || mid_line_ || size_ == 0 || clock_.Monotonic() < retry_at_) return false;
  if (rotation_.size != 0 && size_ + next_line > rotation_.size) return true;
  return rotation_.age != 0 && clock_.Wall() - born_ >= rotation_.age;
}

Result<void> FileSink::Rotate() {
  // Another process (a hot restart's other half, logrotate) was here before: its file is young.
  struct stat ours {};
  struct stat named {};
  if (fstat(fd_, &ours) == 0 && (stat(path_.c_str(), &named) != 0 || named.st_ino != ours.st_ino ||
                                 named.st_dev != ours.st_dev)) {
    return Reopen();
  }
  const auto name = [this](uint32_t n) { return StrCat({path_, ".", Decimal(n)}); };
  for (uint32_t n = rotation_.keep; n > 1; --n) {
    if (rename(name(n - 1).c_str(), name(n).c_str()) != 0 && errno != ENOENT) {
      return Fail(SystemError(StrCat({"rename ", name(n - 1)}), errno));
    }
  }
  if (rename(path_.c_str(), name(1).c_str()) != 0 && errno != ENOENT) {
    return Fail(SystemError(StrCat({"rename ", path_}), errno));
  }
  return Reopen();
}

size_t FileSink::Fitting(std::string_view data) const {
  const size_t line_end = std::min(data.find('\n'), data.size() - 1) + 1;
  if (!regular_ || rotation_.size == 0) return data.size();
  const uint64_t room = rotation_.size > size_ ? rotation_.size - size_ : 0;
  if (data.size() <= room) return data.size();
  const size_t last = room == 0 ? std::string_view::npos : data.rfind('\n', room - 1);
  return last == std::string_view::npos ? line_end : last + 1;
}

LogSink::Outcome FileSink::Write(std::string_view data) {
  if (data.empty()) return {};
  uint64_t failed_rotation = 0;
  if (RotationDue(std::min(data.find('\n'), data.size() - 1) + 1)) {
    if (const auto rotated = Rotate(); !rotated) {
      retry_at_ = clock_.Monotonic() + kRotationRetry;
      failed_rotation = 1;
      // Once: it is tried again each minute.
      if (!rotation_failed_) Log(LogLevel::kError, "access_log", rotated.error().detail);
    }
    rotation_failed_ = failed_rotation != 0;
  }
  size_t size = Fitting(data);
  if (!regular_) {
    // What is shared with others stays a blocking fd: after poll, a pipe has room for PIPE_BUF.
    pollfd ready{fd_, POLLOUT, 0};
    if (poll(&ready, 1, kPollMillis) == 0) return {0, 0, EAGAIN, failed_rotation};
    size = std::min<size_t>(size, PIPE_BUF);
  }
  ssize_t written;
  do {
    written = write(fd_, data.data(), size);
  } while (written < 0 && errno == EINTR);
  if (written <= 0) return {0, 0, written < 0 ? errno : EIO, failed_rotation};
  const size_t taken = static_cast<size_t>(written);
  size_ += taken;
  mid_line_ = data[taken - 1] != '\n';
  return {taken, 0, 0, failed_rotation};
}

}  // namespace sluice::access_log
