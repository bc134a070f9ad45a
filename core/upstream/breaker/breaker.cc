#include "core/upstream/breaker/breaker.h"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

// The word of the probes, from the lowest bit: permits taken, results, failures, slow ones, 11 bits
// each, and the generation.
struct Probes {
  static constexpr int kBits = 11;
  static constexpr uint64_t kMask = (uint64_t{1} << kBits) - 1;

  uint32_t generation = 0;
  uint32_t taken = 0;
  BreakerCounts results;

  // What is there of another generation is over.
  static Probes Of(uint64_t word, uint32_t generation) {
    const auto field = [word](int i) { return static_cast<uint32_t>(word >> (i * kBits) & kMask); };
    if (word >> (4 * kBits) != generation) return {generation, 0, {}};
    return {generation, field(0), {field(1), field(2), field(3)}};
  }
  uint64_t word() const {
    return uint64_t{generation} << (4 * kBits) | uint64_t{results.slow} << (3 * kBits) |
           uint64_t{results.failures} << (2 * kBits) | uint64_t{results.calls} << kBits |
           uint64_t{taken};
  }
};

// Failures in a row and the generation that they are of.
constexpr uint64_t InARowWord(uint32_t generation, uint32_t count) {
  return uint64_t{generation} << 32 | count;
}

}  // namespace

Breaker::Breaker(BreakerName name, const BreakerSettings& settings, SharedWords words,
                 BreakerEvents* events)
    : name_(std::move(name)),
      settings_(settings),
      words_(words),
      window_(words, settings.window, settings.window_calls),
      events_(events) {
  if (events_ != nullptr) events_->OnMade(*this);
}

Breaker::~Breaker() {
  if (events_ != nullptr) events_->OnGone(*this);
}

Breaker::Admission Breaker::EnterBy(const BreakerState& state, Nanos now, Random& random) {
  switch (state.mode) {
    case BreakerMode::kClosed:
      return EnterClosed(state, now, random);
    case BreakerMode::kDisabled:
      return {true, {}, {}, 0};
    case BreakerMode::kForcedOpen:
      return Refused(state, now);
    case BreakerMode::kHalfOpen:
      return EnterHalfOpen(state, now, random);
    case BreakerMode::kOpen:
      break;
  }
  if (LeftOf(state, now) > 0) return Refused(state, now);
  BreakerState half = state;
  half.mode = BreakerMode::kHalfOpen;
  half.generation = state.next_generation();
  half.until = 0;
  Change(state, half, {}, 0);
  return EnterBy(this->state(), now, random);  // whoever did it
}

// A time that is longer than any of ours is of a configuration before, and over.
Nanos Breaker::LeftOf(const BreakerState& state, Nanos now) const {
  const Nanos left = state.Left(now);
  const double most = state.mode == BreakerMode::kOpen
                          ? static_cast<double>(settings_.max_open_for) * (1 + settings_.jitter)
                          : static_cast<double>(settings_.recovery_ramp);
  return left <= static_cast<Nanos>(most) + kMillisecond ? left : 0;
}

Breaker::Admission Breaker::Refused(const BreakerState& state, Nanos now) const {
  SharedWord passed = words_[kMetricsOnly];
  // An operator may take it away meanwhile: that is not to be undone by the count.
  for (uint64_t count = passed.Load(); count != 0;) {
    if (passed.CompareExchange(count, count + 1)) return {true, {}, {}, 0};
  }
  switch (state.mode) {
    case BreakerMode::kOpen:
      return {false, {}, state, LeftOf(state, now)};
    case BreakerMode::kForcedOpen:
      return {false, {}, state, settings_.open_for};
    default:
      return {false, {}, state, kSecond};
  }
}

Breaker::Admission Breaker::EnterClosed(const BreakerState& state, Nanos now,
                                        Random& random) const {
  if (const Nanos left = LeftOf(state, now); left > 0) {
    const double share =
        1 - static_cast<double>(left) / static_cast<double>(settings_.recovery_ramp);
    if (random.Fraction() >= share) return Refused(state, now);
  }
  return {true, {BreakerToken::Kind::kCall, state.generation}, {}, 0};
}

Breaker::Admission Breaker::EnterHalfOpen(const BreakerState& state, Nanos now, Random& random) {
  uint64_t word = words_[kProbes].Load();
  while (true) {
    Probes probes = Probes::Of(word, state.generation);
    if (probes.taken > probes.results.calls) {
      const auto last = static_cast<Nanos>(words_[kLastProbe].Load()) * kMillisecond;
      if (now - last >= settings_.probe_timeout) {
        Open(state, BreakerReason::kProbeTimeout, probes.results, 0, now, random);
        return Refused(this->state(), now);
      }
    }
    if (probes.taken >= settings_.probes) return Refused(state, now);
    ++probes.taken;
    // First, so that nobody finds a permit out with the time of an older one.
    words_[kLastProbe].Store(MillisOf(now));
    if (words_[kProbes].CompareExchange(word, probes.word())) {
      return {true, {BreakerToken::Kind::kProbe, state.generation}, {}, 0};
    }
  }
}

void Breaker::Leave(const BreakerToken& token, const BreakerOutcome& outcome, Nanos now,
                    Random& random) {
  if (token.kind == BreakerToken::Kind::kNone) return;
  const BreakerState now_state = state();
  if (now_state.generation != token.generation) return;
  if (now_state.mode == BreakerMode::kClosed) return LeaveClosed(now_state, outcome, now, random);
  if (now_state.mode == BreakerMode::kHalfOpen) LeaveHalfOpen(now_state, outcome, now, random);
}

void Breaker::LeaveClosed(const BreakerState& state, const BreakerOutcome& outcome, Nanos now,
                          Random& random) {
  const uint32_t in_a_row = CountInARow(state, outcome);
  const BreakerCounts counts = window_.Add(outcome.failure, outcome.slow, now);
  BreakerReason reason = BreakerReason::kNone;
  if (settings_.consecutive_failures > 0 && in_a_row >= settings_.consecutive_failures) {
    reason = BreakerReason::kConsecutive;
  } else if (counts.calls >= settings_.least_calls()) {
    reason = ReasonToOpen(counts);
  }
  if (reason != BreakerReason::kNone) {
    Open(state, reason, counts, outcome.retry_after, now, random);
  }
}

uint32_t Breaker::CountInARow(const BreakerState& state, const BreakerOutcome& outcome) {
  if (settings_.consecutive_failures == 0) return 0;
  SharedWord word = words_[kInARow];
  uint64_t seen = word.Load();
  if (!outcome.failure) {
    if (static_cast<uint32_t>(seen) != 0) word.Store(0);
    return 0;
  }
  if (!outcome.in_a_row) return 0;
  while (true) {
    const bool same = seen >> 32 == state.generation;
    const uint32_t count = (same ? static_cast<uint32_t>(seen) : 0) + 1;
    if (word.CompareExchange(seen, InARowWord(state.generation, count))) return count;
  }
}

BreakerReason Breaker::ReasonToOpen(const BreakerCounts& counts) const {
  const double calls = counts.calls;
  if (counts.failures >= settings_.failure_rate * calls) return BreakerReason::kFailures;
  if (counts.slow >= settings_.slow_rate * calls) return BreakerReason::kSlow;
  return BreakerReason::kNone;
}

void Breaker::LeaveHalfOpen(const BreakerState& state, const BreakerOutcome& outcome, Nanos now,
                            Random& random) {
  uint64_t word = words_[kProbes].Load();
  Probes probes;
  do {
    probes = Probes::Of(word, state.generation);
    if (probes.results.calls >= probes.taken) return;
    ++probes.results.calls;
    probes.results.failures += outcome.failure ? 1 : 0;
    probes.results.slow += outcome.slow ? 1 : 0;
  } while (!words_[kProbes].CompareExchange(word, probes.word()));
  if (probes.results.calls < settings_.least_results()) return;
  const BreakerReason reason = ReasonToOpen(probes.results);
  if (reason == BreakerReason::kNone) return Close(state, probes.results, now);
  Open(state, reason, probes.results, outcome.retry_after, now, random);
}

void Breaker::Cancel(const BreakerToken& token) {
  if (token.kind != BreakerToken::Kind::kProbe) return;
  uint64_t word = words_[kProbes].Load();
  while (true) {
    Probes probes = Probes::Of(word, token.generation);
    if (probes.taken <= probes.results.calls) return;
    --probes.taken;
    if (words_[kProbes].CompareExchange(word, probes.word())) return;
  }
}

void Breaker::Open(const BreakerState& from, BreakerReason reason, const BreakerCounts& counts,
                   Nanos retry_after, Nanos now, Random& random) {
  BreakerState open;
  open.mode = BreakerMode::kOpen;
  open.reason = reason;
  if (from.mode == BreakerMode::kHalfOpen) {
    open.reopened = std::min(from.reopened + 1, BreakerState::kMostReopened);
  }
  open.generation = from.next_generation();
  const Nanos lasts = OpenTime(open.reopened, retry_after, random);
  open.until = BreakerState::UntilOf(now + lasts);
  Change(from, open, counts, lasts);
}

Nanos Breaker::OpenTime(uint32_t reopened, Nanos retry_after, Random& random) const {
  const double most = static_cast<double>(settings_.max_open_for);
  const double grown =
      static_cast<double>(settings_.open_for) * static_cast<double>(uint64_t{1} << reopened);
  const double drawn = std::min(grown, most) * (1 + settings_.jitter * (2 * random.Fraction() - 1));
  return std::max(static_cast<Nanos>(drawn), std::min(retry_after, settings_.max_open_for));
}

void Breaker::Close(const BreakerState& from, const BreakerCounts& counts, Nanos now) {
  BreakerState closed;
  closed.reason = from.reason;
  closed.generation = from.next_generation();
  if (settings_.recovery_ramp > 0)
    closed.until = BreakerState::UntilOf(now + settings_.recovery_ramp);
  window_.Clear();  // nobody counts there while it is half open
  Change(from, closed, counts, settings_.recovery_ramp);
}

bool Breaker::Force(BreakerMode mode, bool metrics_only) {
  const bool as_before = metrics_only == this->metrics_only();
  if (!as_before) words_[kMetricsOnly].Store(metrics_only ? 1 : 0);
  uint64_t word = words_[kState].Load();
  while (true) {
    const BreakerState from = BreakerState::Of(word);
    if (as_before && from.mode == mode && from.until == 0) return false;
    BreakerState to;
    to.mode = mode;
    to.reason = BreakerReason::kForced;
    to.generation = from.next_generation();
    window_.Clear();
    if (!words_[kState].CompareExchange(word, to.word())) continue;
    if (events_ != nullptr) events_->OnTransition(*this, {to, {}, 0});
    return true;
  }
}

bool Breaker::Change(const BreakerState& from, const BreakerState& to, const BreakerCounts& counts,
                     Nanos lasts) {
  uint64_t expected = from.word();
  if (!words_[kState].CompareExchange(expected, to.word())) return false;
  if (events_ != nullptr) events_->OnTransition(*this, {to, counts, lasts});
  return true;
}

uint64_t Breaker::would_refuse() const {
  const uint64_t word = words_[kMetricsOnly].Load();
  return word == 0 ? 0 : word - 1;
}

bool Breaker::lets_pass(Nanos now) const {
  const BreakerState seen = state();
  return metrics_only() || seen.mode == BreakerMode::kDisabled ||
         (seen.mode == BreakerMode::kClosed && LeftOf(seen, now) == 0);
}

BreakerCounts Breaker::counts(Nanos now) const {
  const BreakerState seen = state();
  if (seen.mode != BreakerMode::kHalfOpen) return window_.Sum(now);
  return Probes::Of(words_[kProbes].Load(), seen.generation).results;
}

}  // namespace sluice
