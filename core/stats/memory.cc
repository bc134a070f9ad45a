#include "core/stats/memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>

#include <cerrno>
#include <utility>

namespace sluice {
namespace {

constexpr Nanos kLockPause = 50 * kMicrosecond;

struct flock LockOf(uint64_t byte, short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(byte);
  lock.l_len = 1;
  return lock;
}

}  // namespace

int StatsMemory::ReserveInFile(int fd, uint64_t offset, uint64_t length) {
  int result = 0;
  do {
    result = fallocate(fd, 0, static_cast<off_t>(offset), static_cast<off_t>(length));
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

Result<std::unique_ptr<StatsMemory>> StatsMemory::Map(Fd fd, uint64_t size, bool writable,
                                                      Reserver reserver) {
  void* memory =
      mmap(nullptr, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return Fail(SystemError("mmap of the stats segment", errno));
  return std::unique_ptr<StatsMemory>(new StatsMemory(std::move(fd), memory, size, reserver));
}

StatsMemory::StatsMemory(Fd fd, void* memory, uint64_t size, Reserver reserver)
    : fd_(std::move(fd)), memory_(memory), size_(size), reserver_(reserver) {}

StatsMemory::~StatsMemory() { munmap(memory_, size_); }

bool StatsMemory::TryLock(uint64_t byte) {
  struct flock lock = LockOf(byte, F_WRLCK);
  return fcntl(fd_.get(), F_OFD_SETLK, &lock) == 0;
}

bool StatsMemory::LockWithin(uint64_t byte, Nanos limit) {
  SystemClock clock;
  const Nanos end = clock.Monotonic() + limit;
  while (!TryLock(byte)) {
    if (clock.Monotonic() >= end) return false;
    const timespec pause = {0, kLockPause};
    nanosleep(&pause, nullptr);
  }
  return true;
}

void StatsMemory::Unlock(uint64_t byte) {
  struct flock lock = LockOf(byte, F_UNLCK);
  fcntl(fd_.get(), F_OFD_SETLK, &lock);
}

bool StatsMemory::IsLockedElsewhere(uint64_t byte) const {
  struct flock lock = LockOf(byte, F_WRLCK);
  return fcntl(fd_.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace sluice
