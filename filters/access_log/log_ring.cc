#include "filters/access_log/log_ring.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sluice::access_log {

LogRing::LogRing(size_t size)
    : mask_(std::bit_ceil(std::max<size_t>(size, 2)) - 1), bytes_(new char[mask_ + 1]) {}

bool LogRing::Append(std::string_view line) {
  const uint64_t head = head_.load(std::memory_order_relaxed);
  if (size() - (head - known_tail_) < line.size()) {
    known_tail_ = tail_.load(std::memory_order_acquire);
    if (size() - (head - known_tail_) < line.size()) return false;
  }
  const size_t at = head & mask_;
  const size_t first = std::min(line.size(), size() - at);
  std::memcpy(bytes_.get() + at, line.data(), first);
  std::memcpy(bytes_.get(), line.data() + first, line.size() - first);
  head_.store(head + line.size(), std::memory_order_release);
  return true;
}

bool LogRing::HalfFull() {
  const uint64_t head = head_.load(std::memory_order_relaxed);
  if (head - known_tail_ <= size() / 2) return false;
  known_tail_ = tail_.load(std::memory_order_acquire);
  return head - known_tail_ > size() / 2;
}

void LogRing::TakeAll(std::string& out) {
  const uint64_t tail = tail_.load(std::memory_order_relaxed);
  const uint64_t head = head_.load(std::memory_order_acquire);
  const size_t count = head - tail;
  const size_t at = tail & mask_;
  const size_t first = std::min(count, size() - at);
  out.append(bytes_.get() + at, first);
  out.append(bytes_.get(), count - first);
  tail_.store(head, std::memory_order_release);
}

void LogRing::Count(const LogCounts& more) {
  const auto add = [](std::atomic<uint64_t>& to, uint64_t n) {
    if (n != 0) to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  };
  add(lines_, more.lines);
  add(written_, more.bytes);
  add(lost_, more.lost);
  add(errors_, more.errors);
  add(reopen_errors_, more.reopen_errors);
}

LogCounts LogRing::TakeCounts() {
  const LogCounts now{
      lines_.load(std::memory_order_relaxed), written_.load(std::memory_order_relaxed),
      lost_.load(std::memory_order_relaxed), errors_.load(std::memory_order_relaxed),
      reopen_errors_.load(std::memory_order_relaxed)};
  const LogCounts since{now.lines - taken_.lines, now.bytes - taken_.bytes, now.lost - taken_.lost,
                        now.errors - taken_.errors, now.reopen_errors - taken_.reopen_errors};
  taken_ = now;
  return since;
}

}  // namespace sluice::access_log
