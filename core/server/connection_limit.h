// ConnectionLimit: how many client connections there may be at a time, over all workers. One of the
// atomics that workers share: it is touched when a connection begins and when it ends, never by a
// request. Owned by the server; any thread.
#ifndef SLUICE_CORE_SERVER_CONNECTION_LIMIT_H_
#define SLUICE_CORE_SERVER_CONNECTION_LIMIT_H_

#include <atomic>
#include <cstdint>

namespace sluice {

class ConnectionLimit {
 public:
  // `most` 0: no limit.
  explicit ConnectionLimit(uint32_t most) : most_(most) {}

  bool TryAcquire() {
    const uint32_t most = most_.load(std::memory_order_relaxed);
    if (active_.fetch_add(1, std::memory_order_relaxed) < most || most == 0) return true;
    active_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  // Beyond the limit if need be.
  void Acquire() { active_.fetch_add(1, std::memory_order_relaxed); }
  void Release() { active_.fetch_sub(1, std::memory_order_relaxed); }

  // A reload: those beyond the new limit stay.
  void set_most(uint32_t most) { most_.store(most, std::memory_order_relaxed); }
  uint32_t most() const { return most_.load(std::memory_order_relaxed); }
  uint32_t active() const { return active_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint32_t> most_;
  std::atomic<uint32_t> active_{0};
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONNECTION_LIMIT_H_
