// Clock: where time comes from. The product uses SystemClock; tests move a FakeClock by hand.
#ifndef SLUICE_CORE_BASE_CLOCK_H_
#define SLUICE_CORE_BASE_CLOCK_H_

#include <cstdint>

namespace sluice {

// Nanoseconds. A time point counts from an arbitrary start (CLOCK_MONOTONIC), never from the epoch.
using Nanos = int64_t;
inline constexpr Nanos kMicrosecond = 1'000;
inline constexpr Nanos kMillisecond = 1'000'000;
inline constexpr Nanos kSecond = 1'000'000'000;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Nanos Monotonic() = 0;
  // Nanoseconds since the epoch.
  virtual Nanos Wall() = 0;
};

class SystemClock final : public Clock {
 public:
  Nanos Monotonic() override;
  Nanos Wall() override;
};

// Moves only by Advance. Of one thread.
class FakeClock final : public Clock {
 public:
  Nanos Monotonic() override { return now_; }
  Nanos Wall() override { return kWallStart + now_; }
  void Advance(Nanos by) { now_ += by; }

 private:
  static constexpr Nanos kWallStart = 1'700'000'000 * kSecond;
  Nanos now_ = kSecond;
};

}  // namespace sluice

#endif  // SLUICE_CORE_BASE_CLOCK_H_
