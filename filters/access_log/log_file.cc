#include "filters/access_log/log_file.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <system_error>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/strings.h"

namespace sluice::access_log {
namespace {

constexpr Nanos kReportEvery = 60 * kSecond;
constexpr int kRetrySeconds = 1;
// At the end, with a reader that takes nothing: each try waits 100 ms.
constexpr int kLastTries = 20;
constexpr size_t kKeptCapacity = 256 * 1024;

uint64_t CountLines(std::string_view text) {
  return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

// The files in use. Few and rarely asked for.
struct Registry {
  struct Entry {
    std::unique_ptr<LogFile> file;
    int uses = 0;
  };
  std::mutex lock;
  std::map<std::string, Entry> files;
};

Registry& registry() {
  static auto* const kRegistry = new Registry;
  return *kRegistry;
}

}  // namespace

LogFile::LogFile(std::string name, std::unique_ptr<LogSink> sink, size_t buffer, Clock& clock)
    : name_(std::move(name)), sink_(std::move(sink)), buffer_(buffer), clock_(clock) {
  CHECK(sem_init(&wake_, 0, 0) == 0);
}

Result<std::unique_ptr<LogFile>> LogFile::Start(std::string name, std::unique_ptr<LogSink> sink,
                                                size_t buffer, Clock& clock) {
  std::unique_ptr<LogFile> file(new LogFile(std::move(name), std::move(sink), buffer, clock));
  // Signals are the main thread's; SIGPIPE becomes an error of the write.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = 0;
  try {
    file->thread_ = std::thread(&LogFile::Run, file.get());
  } catch (const std::system_error& failure) {
    error = failure.code().value();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) return Fail(SystemError("start the access log's thread", error));
  return file;
}

LogFile::~LogFile() {
  if (thread_.joinable()) {
    stop_.store(true, std::memory_order_release);
    Wake();
    thread_.join();
  }
  sem_destroy(&wake_);
}

LogRing& LogFile::Ring(uint32_t worker) {
  CHECK(worker < kMaxWorkers);
  if (LogRing* ring = rings_[worker].load(std::memory_order_acquire)) return *ring;
  const std::lock_guard<std::mutex> guard(lock_);
  if (LogRing* ring = rings_[worker].load(std::memory_order_acquire)) return *ring;
  owned_rings_.push_back(std::make_unique<LogRing>(buffer_));
  rings_[worker].store(owned_rings_.back().get(), std::memory_order_release);
  return *owned_rings_.back();
}

void LogFile::Wake() {
  // What was stored before must be visible to the thread if it has seen the last wake-up already:
  // else a stop could be missed, and never said again.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (signalled_.load(std::memory_order_relaxed)) return;
  if (!signalled_.exchange(true, std::memory_order_acq_rel)) sem_post(&wake_);
}

void LogFile::Reopen() {
  reopens_asked_.fetch_add(1, std::memory_order_release);
  Wake();
}

FilterLog::State LogFile::reopened() const {
  const uint32_t done = reopens_done_.load(std::memory_order_acquire);
  if (done != reopens_asked_.load(std::memory_order_relaxed)) return FilterLog::State::kReopening;
  return reopen_failed_.load(std::memory_order_relaxed) ? FilterLog::State::kFailed
                                                        : FilterLog::State::kOpen;
}

void LogFile::SetRotation(const void* owner, const Rotation& rotation) {
  const std::lock_guard<std::mutex> guard(lock_);
  const auto is_theirs = [owner](const auto& entry) { return entry.first == owner; };
  if (std::any_of(rotations_.begin(), rotations_.end(), is_theirs)) return;
  rotations_.emplace_back(owner, rotation);
  rotation_changed_.store(true, std::memory_order_release);
}

void LogFile::DropRotation(const void* owner) {
  const std::lock_guard<std::mutex> guard(lock_);
  std::erase_if(rotations_, [owner](const auto& entry) { return entry.first == owner; });
  rotation_changed_.store(true, std::memory_order_release);
}

void LogFile::Flush() {
  const uint64_t mine = flushes_asked_.fetch_add(1, std::memory_order_acq_rel) + 1;
  Wake();
  std::unique_lock<std::mutex> guard(lock_);
  flushed_.wait(guard, [&] { return flushes_done_ >= mine; });
}

void LogFile::Run() {
  pthread_setname_np(pthread_self(), "access_log");
  for (int tries = 0;;) {
    // From here on a wake-up is for the next round: what it tells about may be missed below.
    signalled_.exchange(false, std::memory_order_acq_rel);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const bool stopping = stop_.load(std::memory_order_acquire);
    const uint64_t asked = flushes_asked_.load(std::memory_order_acquire);
    const uint32_t reopens = reopens_asked_.load(std::memory_order_acquire);
    if (rotation_changed_.exchange(false, std::memory_order_acq_rel)) {
      const std::lock_guard<std::mutex> guard(lock_);
      sink_->SetRotation(rotations_.empty() ? Rotation{} : rotations_.back().second);
    }
    const Progress progress = Drain();
    if (reopens != reopens_done_.load(std::memory_order_relaxed)) {
      reopen_failed_.store(!ReopenNow(), std::memory_order_relaxed);
      reopens_done_.store(reopens, std::memory_order_release);
    }
    {
      const std::lock_guard<std::mutex> guard(lock_);
      flushes_done_ = asked;
    }
    flushed_.notify_all();
    if (stopping) {
      if (progress == Progress::kBlocked && ++tries < kLastTries) continue;
      return GiveUp();
    }
    Sleep(progress);
  }
}

void LogFile::Sleep(Progress progress) {
  if (progress == Progress::kBlocked) return;  // the sink has waited already
  if (progress == Progress::kDone) {
    while (sem_wait(&wake_) != 0 && errno == EINTR) {
    }
    return;
  }
  timespec until{};
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += kRetrySeconds;
  while (sem_timedwait(&wake_, &until) != 0 && errno == EINTR) {
  }
}

LogFile::Progress LogFile::Drain() {
  if (const Progress progress = WritePending(); progress != Progress::kDone) return progress;
  for (const std::atomic<LogRing*>& slot : rings_) {
    LogRing* ring = slot.load(std::memory_order_acquire);
    if (ring == nullptr || ring->empty()) continue;
    pending_ring_ = ring;
    ring->TakeAll(pending_);
    if (const Progress progress = WritePending(); progress != Progress::kDone) return progress;
  }
  return Progress::kDone;
}

LogFile::Progress LogFile::WritePending() {
  while (pending_at_ < pending_.size()) {
    const std::string_view rest = std::string_view(pending_).substr(pending_at_);
    const LogSink::Outcome outcome = sink_->Write(rest);
    LogCounts counts;
    counts.lines = CountLines(rest.substr(0, outcome.taken)) - outcome.lost;
    counts.bytes = outcome.taken;
    counts.lost = outcome.lost;
    counts.errors = outcome.error != 0 && outcome.error != EAGAIN ? 1 : 0;
    counts.reopen_errors = outcome.reopen_errors;
    pending_ring_->Count(counts);
    pending_at_ += outcome.taken;
    if (outcome.error == EAGAIN) return Progress::kBlocked;
    if (outcome.error != 0) {
      Report(outcome.error);
      return Progress::kFailed;
    }
  }
  if (pending_.capacity() > kKeptCapacity) {
    std::string().swap(pending_);
  } else {
    pending_.clear();
  }
  pending_at_ = 0;
  return Progress::kDone;
}

Result<void> LogFile::ReopenNow() {
  if (Result<void> reopened = sink_->Reopen(); !reopened) {
    Log(LogLevel::kError, "access_log",
        StrCat({reopened.error().detail, "; writing goes on to the file as it was"}));
    for (const std::atomic<LogRing*>& slot : rings_) {
      LogRing* const ring = slot.load(std::memory_order_acquire);
      if (ring == nullptr) continue;
      ring->Count({.reopen_errors = 1});
      break;  // a ring stands for a worker's stats: any will do
    }
    return reopened;
  }
  // The first half of a line went to the old file: its second half would stand alone.
  if (pending_at_ > 0 && pending_at_ < pending_.size() && pending_[pending_at_ - 1] != '\n') {
    pending_at_ = pending_.find('\n', pending_at_) + 1;
    pending_ring_->Count({0, 0, 1, 0});
  }
  return {};
}

void LogFile::GiveUp() {
  uint64_t lost = CountLines(std::string_view(pending_).substr(pending_at_));
  if (lost > 0) pending_ring_->Count({0, 0, lost, 0});
  for (const std::atomic<LogRing*>& slot : rings_) {
    LogRing* ring = slot.load(std::memory_order_acquire);
    if (ring == nullptr || ring->empty()) continue;
    pending_.clear();
    ring->TakeAll(pending_);
    ring->Count({0, 0, CountLines(pending_), 0});
    lost += CountLines(pending_);
  }
  if (lost > 0) {
    Log(LogLevel::kError, "access_log",
        StrCat({name_, ": ", Decimal(lost), " lines could not be written before the end"}));
  }
}

void LogFile::Report(int error) {
  ++errors_since_report_;
  const Nanos now = clock_.Monotonic();
  if (reported_ && now - reported_at_ < kReportEvery) return;
  Log(LogLevel::kError, "access_log",
      StrCat({SystemError(name_, error).detail, " (", Decimal(errors_since_report_),
              " failed writes since this was last said)"}));
  reported_ = true;
  reported_at_ = now;
  errors_since_report_ = 0;
}

Result<LogFileRef> LogFileRef::Acquire(const std::string& key, const Make& make) {
  const std::lock_guard<std::mutex> guard(registry().lock);
  auto found = registry().files.find(key);
  if (found == registry().files.end()) {
    auto file = make();
    if (!file) return Fail(std::move(file).error());
    found = registry().files.emplace(key, Registry::Entry{std::move(*file), 0}).first;
  }
  ++found->second.uses;
  LogFileRef ref;
  ref.key_ = key;
  ref.file_ = found->second.file.get();
  return ref;
}

LogFileRef::~LogFileRef() {
  if (file_ == nullptr) return;
  std::unique_ptr<LogFile> last;  // closed outside of the lock
  const std::lock_guard<std::mutex> guard(registry().lock);
  const auto found = registry().files.find(key_);
  if (--found->second.uses > 0) return;
  last = std::move(found->second.file);
  registry().files.erase(found);
}

}  // namespace sluice::access_log
