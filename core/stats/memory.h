// StatsMemory: the file of a segment, mapped whole, with the reservation of its pages and its
// locks. A named file, or an anonymous one of this process (memfd): the same code.
//
// Owned by the StatsSegment or the StatsFile. Reserve may be called on any thread, locks are the
// main thread's.
//
// Locks belong to the open file description (F_OFD_SETLK): the kernel frees them when the last fd
// of it is closed, however its process ends. A fork without exec keeps them alive in the child:
// whoever forks lets the child exec or end, since the fd is closed on exec.
#ifndef SLUICE_CORE_STATS_MEMORY_H_
#define SLUICE_CORE_STATS_MEMORY_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/result.h"

namespace sluice {

struct StatsSegmentHeader;

// Bytes of the file that are locked; the same in every version of the layout.
inline constexpr uint64_t kStatsDirectoryLock = 0;  // around each change of the directory
inline constexpr uint64_t kStatsBankLock = 1;       // and 2: for the life of the bank's owner

class StatsMemory {
 public:
  // Reserves bytes of a file, that is, gives them memory (fallocate); 0 or an errno.
  using Reserver = int (*)(int fd, uint64_t offset, uint64_t length);
  static int ReserveInFile(int fd, uint64_t offset, uint64_t length);

  // Maps `size` bytes of `fd`. REQUIRES: the file is that long.
  static Result<std::unique_ptr<StatsMemory>> Map(Fd fd, uint64_t size, bool writable,
                                                  Reserver reserver = ReserveInFile);
  ~StatsMemory();
  StatsMemory(const StatsMemory&) = delete;
  StatsMemory& operator=(const StatsMemory&) = delete;

  int fd() const { return fd_.get(); }
  uint64_t size() const { return size_; }
  // The mapping begins with it. Nothing in it is known to be true before it is checked.
  StatsSegmentHeader& header() const { return *static_cast<StatsSegmentHeader*>(memory_); }

  // Touching [offset, offset + length) is safe from here on; 0, or the errno that says why not.
  int Reserve(uint64_t offset, uint64_t length) { return reserver_(fd_.get(), offset, length); }

  bool TryLock(uint64_t byte);
  // Tries until `limit` is over: a stopped process may hold it.
  bool LockWithin(uint64_t byte, Nanos limit);
  void Unlock(uint64_t byte);
  // Does somebody else hold it?
  bool IsLockedElsewhere(uint64_t byte) const;

 private:
  StatsMemory(Fd fd, void* memory, uint64_t size, Reserver reserver);

  const Fd fd_;
  void* const memory_;
  const uint64_t size_;
  const Reserver reserver_;
};

// Holds the directory's lock, or not, if a stopped process holds it for longer than `limit`.
class StatsDirectoryHold {
 public:
  StatsDirectoryHold(StatsMemory& memory, Nanos limit)
      : memory_(memory), held_(memory.LockWithin(kStatsDirectoryLock, limit)) {}
  ~StatsDirectoryHold() {
    if (held_) memory_.Unlock(kStatsDirectoryLock);
  }
  StatsDirectoryHold(const StatsDirectoryHold&) = delete;
  StatsDirectoryHold& operator=(const StatsDirectoryHold&) = delete;

  bool held() const { return held_; }

 private:
  StatsMemory& memory_;
  const bool held_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_MEMORY_H_
