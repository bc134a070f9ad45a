// BreakerState: what a breaker is doing and why, as one word that workers and processes share; each
// transition is one compare-and-exchange of it.
#ifndef SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_STATE_H_
#define SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_STATE_H_

#include <cstdint>
#include <string_view>

#include "core/base/clock.h"

namespace sluice {

// The numbers are those of sluice_upstream_breaker_state.
enum class BreakerMode : uint8_t {
  kClosed,      // calls pass and are counted; after it was open a growing share of them
  kHalfOpen,    // a few calls pass, and decide
  kOpen,        // none passes
  kForcedOpen,  // none passes, until an operator says otherwise
  kDisabled,    // all pass and none is counted, until an operator says otherwise
};
inline constexpr int kBreakerModes = 5;

// Why it opened; stays what it was until it opens again.
enum class BreakerReason : uint8_t {
  kNone,
  kFailures,
  kSlow,
  kConsecutive,
  kProbeTimeout,
  kForced
};

std::string_view NameOf(BreakerMode mode);      // "half_open"
std::string_view NameOf(BreakerReason reason);  // "consecutive"

struct BreakerState {
  static constexpr uint32_t kGenerations = uint32_t{1} << 17;  // it wraps around
  static constexpr uint32_t kMostReopened = 31;
  static constexpr uint64_t kUntils = uint64_t{1} << 36;

  BreakerMode mode = BreakerMode::kClosed;
  BreakerReason reason = BreakerReason::kNone;
  uint32_t reopened = 0;    // times in a row out of half open
  uint32_t generation = 0;  // counts the transitions
  // Monotonic milliseconds: open until then; closed, when all pass again. Modulo kUntils, which is
  // two years; 0: it is not known.
  uint64_t until = 0;

  static BreakerState Of(uint64_t word);
  uint64_t word() const;
  static uint64_t UntilOf(Nanos time);
  // How long until then; 0: that is past, or not known.
  Nanos Left(Nanos now) const;
  // Of the transition from this state.
  uint32_t next_generation() const { return (generation + 1) % kGenerations; }
};

constexpr uint64_t MillisOf(Nanos time) { return static_cast<uint64_t>(time / kMillisecond); }
constexpr uint64_t MillisUp(Nanos time) { return MillisOf(time + kMillisecond - 1); }

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_STATE_H_
