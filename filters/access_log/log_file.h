// LogFile: one file (or system log) and the thread that writes to it. Workers append lines to rings
// of their own and never wait for it. Shared by all filters that name the same path, in any
// configuration that is in use: LogFileRef keeps it. Made and given back on the main thread.
//
// The thread sleeps until somebody wakes it: a worker after the flush interval or with a half full
// ring, so that a line costs no system call, and an idle server no wake-up.
#ifndef SLUICE_FILTERS_ACCESS_LOG_LOG_FILE_H_
#define SLUICE_FILTERS_ACCESS_LOG_LOG_FILE_H_

#include <semaphore.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/filter/factory.h"
#include "filters/access_log/log_ring.h"
#include "filters/access_log/log_sink.h"

namespace sluice::access_log {

class LogFile {
 public:
  // 256 workers, and the main thread behind them.
  static constexpr uint32_t kMaxWorkers = 257;

  // Starts the thread. `name` is for the log; `buffer` the size of each ring; `clock` is asked from
  // the writer's thread and outlives the file.
  static Result<std::unique_ptr<LogFile>> Start(std::string name, std::unique_ptr<LogSink> sink,
                                                size_t buffer, Clock& clock);
  // Writes what is left, and gives up what cannot be written within about two seconds.
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // The worker's ring, made when first asked for. Any thread. REQUIRES: worker < kMaxWorkers.
  LogRing& Ring(uint32_t worker);

  // Makes the thread look at the rings. Any thread; a system call only if the thread sleeps.
  void Wake();
  // What was appended before is written, then the file opened anew. Main thread; does not wait.
  void Reopen();
  // What became of the last Reopen. Main thread.
  FilterLog::State reopened() const;
  // What `owner` wants from now on; of several that want something, the last counts. Any thread.
  void SetRotation(const void* owner, const Rotation& rotation);
  void DropRotation(const void* owner);
  // Waits until what was appended before is written or failed to be. Not for workers.
  void Flush();

 private:
  enum class Progress : uint8_t { kDone, kBlocked, kFailed };

  LogFile(std::string name, std::unique_ptr<LogSink> sink, size_t buffer, Clock& clock);
  void Run();
  // Writes what is in the rings now.
  Progress Drain();
  Progress WritePending();
  Result<void> ReopenNow();
  void GiveUp();
  void Report(int error);
  void Sleep(Progress progress);

  const std::string name_;
  const std::unique_ptr<LogSink> sink_;
  const size_t buffer_;
  Clock& clock_;

  std::mutex lock_;  // of what follows; never held during I/O
  std::vector<std::unique_ptr<LogRing>> owned_rings_;
  std::vector<std::pair<const void*, Rotation>> rotations_;
  uint64_t flushes_done_ = 0;
  std::condition_variable flushed_;

  std::array<std::atomic<LogRing*>, kMaxWorkers> rings_{};
  std::atomic<bool> rotation_changed_{false};
  std::atomic<uint32_t> reopens_asked_{0};
  std::atomic<uint32_t> reopens_done_{0};   // as many as were asked for
  std::atomic<bool> reopen_failed_{false};  // the last that was done
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> flushes_asked_{0};
  alignas(64) std::atomic<bool> signalled_{false};
  sem_t wake_;

  // The thread's own.
  std::string pending_;  // taken from a ring, not written yet
  size_t pending_at_ = 0;
  LogRing* pending_ring_ = nullptr;
  bool reported_ = false;
  Nanos reported_at_ = 0;
  uint64_t errors_since_report_ = 0;
  std::thread thread_;
};

// A share in the LogFile of some key. Main thread.
class LogFileRef {
 public:
  using Make = std::function<Result<std::unique_ptr<LogFile>>()>;

  LogFileRef() = default;
  // The file of that key; calls `make` if nobody has it.
  static Result<LogFileRef> Acquire(const std::string& key, const Make& make);
  LogFileRef(LogFileRef&& other) noexcept
      : key_(std::move(other.key_)), file_(std::exchange(other.file_, nullptr)) {}
  LogFileRef& operator=(LogFileRef&& other) noexcept {
    std::swap(key_, other.key_);
    std::swap(file_, other.file_);
    return *this;
  }
  // The last one closes the file.
  ~LogFileRef();

  explicit operator bool() const { return file_ != nullptr; }
  LogFile* operator->() const { return file_; }

 private:
  std::string key_;
  LogFile* file_ = nullptr;
};

}  // namespace sluice::access_log

#endif  // SLUICE_FILTERS_ACCESS_LOG_LOG_FILE_H_
