#include "core/event/timer.h"

#include <algorithm>
#include <bit>

#include "core/event/loop.h"

namespace sluice {

void Timer::Start(Nanos delay) {
  Cancel();
  loop_->timers().Insert(*this, loop_->now() + std::max<Nanos>(delay, 0));
}

void Timer::Cancel() {
  if (linked()) loop_->timers().Remove(*this);
}

void TimerWheel::Insert(Timer& timer, Nanos deadline) {
  // Rounded up, so that it never fires early; at least the next tick, so that a timer started by a
  // firing one waits for the next Advance.
  timer.tick_ = std::max(Floor(deadline + kMillisecond - 1), tick_ + 1);
  ++size_;
  Place(timer);
}

void TimerWheel::Place(Timer& timer) {
  // The level is where the highest differing digit (base 64) of now and the deadline stands.
  const uint64_t limit = tick_ + (uint64_t{1} << (kBits * kLevels)) - 1;
  const uint64_t tick = std::min(timer.tick_, limit);
  const uint64_t differing = (tick ^ tick_) | 1;
  const int level = std::min((63 - std::countl_zero(differing)) / kBits, kLevels - 1);
  const int slot = static_cast<int>((tick >> (kBits * level)) & (kSlots - 1));
  timer.slot_ = static_cast<uint16_t>(level * kSlots + slot);
  slots_[timer.slot_].PushBack(timer);
  occupied_[level] |= uint64_t{1} << slot;
}

void TimerWheel::Remove(Timer& timer) {
  timer.Unlink();
  --size_;
  if (slots_[timer.slot_].empty()) {
    occupied_[timer.slot_ / kSlots] &= ~(uint64_t{1} << (timer.slot_ % kSlots));
  }
}

Nanos TimerWheel::NextWake() const {
  if (size_ == 0) return -1;
  for (int level = 0; level < kLevels; ++level) {
    const int shift = kBits * level;
    const int current = static_cast<int>((tick_ >> shift) & (kSlots - 1));
    // Slots of a level lie ahead of the current one within the current rotation, except on the top
    // level, which wraps.
    const uint64_t ahead = occupied_[level] & ~((uint64_t{2} << current) - 1);
    uint64_t base = tick_ >> (shift + kBits) << (shift + kBits);
    if (ahead != 0) {
      const uint64_t slot = static_cast<uint64_t>(std::countr_zero(ahead));
      return static_cast<Nanos>(base + (slot << shift)) * kMillisecond;
    }
    if (level == kLevels - 1 && occupied_[level] != 0) {
      const uint64_t slot = static_cast<uint64_t>(std::countr_zero(occupied_[level]));
      base += uint64_t{1} << (shift + kBits);
      return static_cast<Nanos>(base + (slot << shift)) * kMillisecond;
    }
  }
  return -1;
}

void TimerWheel::Cascade(int level) {
  const int slot = static_cast<int>((tick_ >> (kBits * level)) & (kSlots - 1));
  List<Timer>& list = slots_[level * kSlots + slot];
  occupied_[level] &= ~(uint64_t{1} << slot);
  List<Timer> moved;
  moved.Splice(list);
  while (!moved.empty()) {
    Timer& timer = moved.front();
    timer.Unlink();
    Place(timer);
  }
}

void TimerWheel::Advance(Nanos now) {
  const uint64_t target = Floor(now);
  while (tick_ < target) {
    const Nanos wake = NextWake();
    if (wake < 0 || Floor(wake) > target) {
      tick_ = target;
      return;
    }
    tick_ = Floor(wake);
    for (int level = kLevels - 1; level > 0; --level) {
      const uint64_t below = (uint64_t{1} << (kBits * level)) - 1;
      if ((tick_ & below) == 0) Cascade(level);
    }
    // A timer of this very tick can only be in level 0's current slot now.
    const int slot = static_cast<int>(tick_ & (kSlots - 1));
    List<Timer>& due = slots_[slot];
    while (!due.empty()) {
      Timer& timer = due.front();
      Remove(timer);
      timer.callback_();
    }
  }
}

}  // namespace sluice
