#include "core/upstream/breaker/breaker_state.h"

#include <algorithm>
#include <iterator>

namespace sluice {
namespace {

// From the lowest bit: until (36), generation (17), reopened (5), reason (3), mode (3).
constexpr int kGenerationAt = 36;
constexpr int kReopenedAt = kGenerationAt + 17;
constexpr int kReasonAt = kReopenedAt + 5;
constexpr int kModeAt = kReasonAt + 3;
static_assert(BreakerState::kUntils == uint64_t{1} << kGenerationAt);

constexpr std::string_view kModes[] = {"closed", "half_open", "open", "forced_open", "disabled"};
static_assert(std::size(kModes) == kBreakerModes);
// As many as the bits can say, so that any word is read and written back as it was.
constexpr std::string_view kReasons[8] = {"none",          "failures", "slow",    "consecutive",
                                          "probe_timeout", "forced",   "unknown", "unknown"};

}  // namespace

std::string_view NameOf(BreakerMode mode) { return kModes[static_cast<size_t>(mode)]; }
std::string_view NameOf(BreakerReason reason) { return kReasons[static_cast<size_t>(reason)]; }

BreakerState BreakerState::Of(uint64_t word) {
  const auto mode = static_cast<uint8_t>(word >> kModeAt);
  BreakerState state;
  if (mode < std::size(kModes)) state.mode = static_cast<BreakerMode>(mode);
  state.reason = static_cast<BreakerReason>(word >> kReasonAt & 7);
  state.reopened = static_cast<uint32_t>(word >> kReopenedAt) & kMostReopened;
  state.generation = static_cast<uint32_t>(word >> kGenerationAt) % kGenerations;
  state.until = word % kUntils;
  return state;
}

uint64_t BreakerState::word() const {
  return static_cast<uint64_t>(mode) << kModeAt | static_cast<uint64_t>(reason) << kReasonAt |
         uint64_t{reopened} << kReopenedAt | uint64_t{generation} << kGenerationAt |
         until % kUntils;
}

uint64_t BreakerState::UntilOf(Nanos time) {
  return std::max<uint64_t>(MillisUp(time) % kUntils, 1);
}

Nanos BreakerState::Left(Nanos now) const {
  if (until == 0) return 0;
  const uint64_t millis = (until - MillisOf(now)) % kUntils;
  if (millis == 0 || millis > kUntils / 2) return 0;
  return static_cast<Nanos>(millis) * kMillisecond - now % kMillisecond;
}

}  // namespace sluice
