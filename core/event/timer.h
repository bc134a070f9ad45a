// Timer: a callback at a time, once. A member of whoever waits: destroying it cancels it.
// TimerWheel: the timers of one loop, a hierarchical hashed wheel (Varghese and Lauck, 1987, scheme
// 7) of 1 ms ticks: arming and cancelling are O(1). A timer fires at its deadline or up to 1 ms
// later, never before it.
#ifndef SLUICE_CORE_EVENT_TIMER_H_
#define SLUICE_CORE_EVENT_TIMER_H_

#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"
#include "core/base/intrusive_list.h"
#include "core/event/callback.h"

namespace sluice {

class Loop;
class TimerWheel;

class Timer : private ListNode<> {
 public:
  // `loop` outlives the timer.
  Timer(Loop& loop, Callback callback) : loop_(&loop), callback_(callback) {}

  // Fires `delay` from the loop's now(), in place of what was set before.
  void Start(Nanos delay);
  void Cancel();
  bool pending() const { return linked(); }
  Nanos deadline() const { return static_cast<Nanos>(tick_) * kMillisecond; }
  ~Timer() { Cancel(); }

 private:
  friend class TimerWheel;
  template <typename T, typename Tag>
  friend class List;

  Loop* loop_;
  Callback callback_;
  uint64_t tick_ = 0;
  uint16_t slot_ = 0;
};

class TimerWheel {
 public:
  explicit TimerWheel(Nanos now) : tick_(Floor(now)) {}

  void Insert(Timer& timer, Nanos deadline);
  void Remove(Timer& timer);
  // Fires everything due at `now`. A callback may start, cancel and destroy any timer.
  void Advance(Nanos now);
  // When Advance next has something to do; -1: never. May be earlier than the next timer.
  Nanos NextWake() const;
  size_t size() const { return size_; }

 private:
  static constexpr int kBits = 6;
  static constexpr int kSlots = 1 << kBits;
  static constexpr int kLevels = 6;  // 64^6 ms: two years

  static uint64_t Floor(Nanos time) { return static_cast<uint64_t>(time / kMillisecond); }
  void Place(Timer& timer);
  void Cascade(int level);

  uint64_t tick_;  // all of it was fired
  size_t size_ = 0;
  uint64_t occupied_[kLevels] = {};
  List<Timer> slots_[kLevels * kSlots];
};

}  // namespace sluice

#endif  // SLUICE_CORE_EVENT_TIMER_H_
