// LogRing: finished lines on their way from one worker to the thread that writes them: bytes behind
// one another, bounded, without locks. One producer (the worker) and one consumer (the writer).
// Owned by the LogFile. What each side writes lies on cache lines of its own.
#ifndef SLUICE_FILTERS_ACCESS_LOG_LOG_RING_H_
#define SLUICE_FILTERS_ACCESS_LOG_LOG_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::access_log {

// What became of a ring's lines; they only grow.
struct LogCounts {
  uint64_t lines = 0;  // written
  uint64_t bytes = 0;
  uint64_t lost = 0;           // lines that the writer had to give up
  uint64_t errors = 0;         // writes that failed
  uint64_t reopen_errors = 0;  // new files that could not be opened
};

class LogRing {
 public:
  // Rounds up to a power of two.
  explicit LogRing(size_t size);

  // Producer. Takes the line, which ends with its "\n"; false: there is no room.
  bool Append(std::string_view line);
  // Producer. Is more than half of it used?
  bool HalfFull();
  // Either side. Nothing that was appended waits to be taken.
  bool empty() const {
    return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
  }
  size_t size() const { return mask_ + 1; }

  // Consumer. Moves everything that is there to the end of `out`: whole lines.
  void TakeAll(std::string& out);
  // Consumer.
  void Count(const LogCounts& more);
  // Producer. What was counted since the last call.
  LogCounts TakeCounts();

 private:
  size_t mask_;
  std::unique_ptr<char[]> bytes_;

  alignas(64) std::atomic<uint64_t> head_{0};  // the producer's, as is what follows
  uint64_t known_tail_ = 0;
  LogCounts taken_;

  alignas(64) std::atomic<uint64_t> tail_{0};  // the consumer's, as is what follows
  std::atomic<uint64_t> lines_{0};
  std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> lost_{0};
  std::atomic<uint64_t> errors_{0};
  std::atomic<uint64_t> reopen_errors_{0};
};

}  // namespace sluice::access_log

#endif  // SLUICE_FILTERS_ACCESS_LOG_LOG_RING_H_
