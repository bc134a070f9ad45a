// GuardWindow: whether a new configuration answers worse than the one before it. It is told what
// was answered, and when; it knows no clock, no metrics. Owned by the ConfigGuard; main thread.
//
// What is in use is trusted, or on trial (a window is open), or it failed its trial and is still
// there. Only what was answered under trusted configurations counts as the time before: a second
// change inside a window is compared with the time before the first.
#ifndef SLUICE_CORE_SERVER_CONFIGURATION_GUARD_WINDOW_H_
#define SLUICE_CORE_SERVER_CONFIGURATION_GUARD_WINDOW_H_

#include <cstdint>
#include <deque>

#include "core/base/clock.h"

namespace sluice {

struct GuardSettings {
  Nanos window = 30 * kSecond;
  Nanos before = 60 * kSecond;
  double max_increase = 5;  // percentage points
  uint64_t min_responses = 100;
};

struct ResponseCounts {
  uint64_t all = 0;
  uint64_t failed = 0;  // 5xx

  // In percent; of none: 0.
  double share() const {
    return all == 0 ? 0 : 100.0 * static_cast<double>(failed) / static_cast<double>(all);
  }
};

class GuardWindow {
 public:
  enum class Verdict : uint8_t { kNone, kStood, kFailed };

  // A change: what is answered from here on is on trial.
  void Begin(Nanos now, const GuardSettings& settings);
  // What is in use is trusted. A window that was open is no more; what came in it counts nowhere.
  void Trust();
  // `more` was answered since the last call. kStood, kFailed: the window is over, by this call.
  Verdict Count(Nanos now, ResponseCounts more);

  bool open() const { return state_ == State::kTrial; }
  // What the last trial was about.
  const GuardSettings& settings() const { return settings_; }
  Nanos lasted(Nanos now) const { return now - began_; }
  ResponseCounts before() const { return before_; }
  ResponseCounts after() const { return after_; }

 private:
  enum class State : uint8_t { kTrusted, kTrial, kFailed };
  struct Sample {
    Nanos time;
    ResponseCounts counts;
  };
  // The longest time before that a configuration may ask for.
  static constexpr Nanos kLongest = 3600 * kSecond;

  State state_ = State::kTrusted;
  GuardSettings settings_;
  Nanos began_ = 0;
  ResponseCounts before_;
  ResponseCounts after_;
  std::deque<Sample> trusted_;
  std::deque<Sample> trial_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONFIGURATION_GUARD_WINDOW_H_
