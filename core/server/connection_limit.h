// ConnectionLimit: how many client connections there may be at a time, over all workers. One of the
// atomics that workers share: it is touched when a connection begins and when it ends, never by a
// request. Owned by the server (the overall one) or by its generation (a listener's); any thread.
#ifndef SLUICE_CORE_SERVER_CONNECTION_LIMIT_H_
#define SLUICE_CORE_SERVER_CONNECTION_LIMIT_H_

#include <atomic>
#include <cstdint>

namespace sluice {

class ConnectionLimit {
 public:
  // `most` 0: no limit, and nothing is counted.
  explicit ConnectionLimit(uint32_t most) : most_(most) {}

  bool TryAcquire() {
    if (most_ == 0) return true;
    if (active_.fetch_add(1, std::memory_order_relaxed) < most_) return true;
    active_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  // Beyond the limit if need be.
  void Acquire() {
    if (most_ != 0) active_.fetch_add(1, std::memory_order_relaxed);
  }
  void Release() {
    if (most_ != 0) active_.fetch_sub(1, std::memory_order_relaxed);
  }

  uint32_t most() const { return most_; }
  uint32_t active() const { return active_.load(std::memory_order_relaxed); }

 private:
  const uint32_t most_;
  // A line of its own: `most_` of a listener without a limit is then read by all and written by
  // nobody.
  alignas(64) std::atomic<uint32_t> active_{0};
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONNECTION_LIMIT_H_
