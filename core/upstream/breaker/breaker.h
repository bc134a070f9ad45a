// Breaker: leaves alone for a while what is failing: a cluster, a route, an endpoint. Closed, all
// calls pass and are counted; when too many of the last ones failed or were slow, or several failed
// in a row, it opens; then nothing passes for a while, then a few probes, whose results close it or
// open it again; closed again, a growing share of calls passes. After resilience4j's CircuitBreaker
// (states, permits, generations), Linkerd's consecutive failures, Traefik's recovery.
//
// Owned by its cluster or listener, made on the main thread. All that changes stands in shared
// words: any thread may call anything, workers and processes act as one, and the next process goes
// on where this one ends. Of several that see a reason for a transition one makes it, and tells.
//
// Times are of the loop's monotonic clock.
#ifndef SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_H_
#define SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_H_

#include <cstdint>
#include <string>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/config/labels.h"
#include "core/stats/shared_word.h"
#include "core/upstream/breaker/breaker_settings.h"
#include "core/upstream/breaker/breaker_state.h"
#include "core/upstream/breaker/breaker_window.h"

namespace sluice {

class Breaker;

struct BreakerTransition {
  BreakerState state;    // the new one
  BreakerCounts counts;  // that led to it
  Nanos lasts = 0;  // how long it is open, or the share of calls grows; 0: until further notice
};

// What a breaker stands before.
enum class BreakerScope : uint8_t { kCluster, kRoute, kEndpoint };

struct BreakerName {
  std::string text;   // "clusters.api": for people, and for the admin API
  LabelPairs labels;  // its own among breakers of the scope
  BreakerScope scope = BreakerScope::kCluster;
};

class BreakerEvents {
 public:
  // On the main thread.
  virtual void OnMade(Breaker& breaker) = 0;
  virtual void OnGone(const Breaker& breaker) = 0;
  // By the thread that made the transition, inside of the call that did.
  virtual void OnTransition(const Breaker& breaker, const BreakerTransition& transition) = 0;

 protected:
  ~BreakerEvents() = default;
};

// What a call that was admitted gives back at its end, once, to Leave or Cancel.
struct BreakerToken {
  enum class Kind : uint8_t { kNone, kCall, kProbe };

  Kind kind = Kind::kNone;  // kNone: nothing is to be given back
  uint32_t generation = 0;
};

struct BreakerOutcome {
  bool failure = false;
  bool slow = false;
  bool in_a_row = true;   // a failure that counts among consecutive ones
  Nanos retry_after = 0;  // the failure asks for so long; 0: it does not
};

class Breaker {
 public:
  struct Admission {
    bool admitted = false;
    BreakerToken token;
    BreakerState state;     // why not
    Nanos retry_after = 0;  // when it may be worth to ask again
  };

  // `events` outlives it; null: nobody listens.
  Breaker(BreakerName name, const BreakerSettings& settings, SharedWords words,
          BreakerEvents* events);
  ~Breaker();
  Breaker(const Breaker&) = delete;
  Breaker& operator=(const Breaker&) = delete;

  const BreakerName& name() const { return name_; }
  const BreakerSettings& settings() const { return settings_; }

  // May one more call be made?
  Admission TryEnter(Nanos now, Random& random) {
    const uint64_t word = words_[kState].Load();
    if (word == kNeverOpen) [[likely]]
      return {true, {BreakerToken::Kind::kCall, 0}, {}, 0};
    return EnterBy(BreakerState::Of(word), now, random);
  }
  // It is over. Calls of a generation that is over count for nothing.
  void Leave(const BreakerToken& token, const BreakerOutcome& outcome, Nanos now, Random& random);
  // It says nothing: another may take its place.
  void Cancel(const BreakerToken& token);

  // An operator's: kForcedOpen, kDisabled, or back to kClosed with nothing counted; then, if it has
  // `metrics_only`, it goes on as always but lets pass what it would refuse, and counts that.
  // False: it is that already.
  bool Force(BreakerMode mode, bool metrics_only = false);
  bool metrics_only() const { return words_[kMetricsOnly].Load() != 0; }
  // How many calls it would have refused since it has metrics only.
  uint64_t would_refuse() const;

  BreakerState state() const { return BreakerState::Of(words_[kState].Load()); }
  // How long it is still open, or the share of calls grows; 0: it is past, or nobody knows.
  Nanos Left(Nanos now) const { return LeftOf(state(), now); }
  // Would some call pass, as far as is known without making one?
  bool lets_pass(Nanos now) const;
  // Of the window, or of the probes if it is half open.
  BreakerCounts counts(Nanos now) const;

 private:
  // Its words; the others are the window's.
  static constexpr size_t kState = 0;
  static constexpr size_t kProbes = 1;
  static constexpr size_t kLastProbe = 2;  // when a permit was last taken, milliseconds
  static constexpr size_t kInARow = 3;
  static constexpr size_t kMetricsOnly = 4;  // 0: no; else 1 and how many were let pass for that
  static_assert(kMetricsOnly < BreakerWindow::kCursor);
  // Closed, of the first generation, with no reason.
  static constexpr uint64_t kNeverOpen = 0;

  Admission EnterBy(const BreakerState& state, Nanos now, Random& random);
  Admission Refused(const BreakerState& state, Nanos now) const;
  Nanos LeftOf(const BreakerState& state, Nanos now) const;
  Admission EnterClosed(const BreakerState& state, Nanos now, Random& random) const;
  Admission EnterHalfOpen(const BreakerState& state, Nanos now, Random& random);
  void LeaveClosed(const BreakerState& state, const BreakerOutcome& outcome, Nanos now,
                   Random& random);
  void LeaveHalfOpen(const BreakerState& state, const BreakerOutcome& outcome, Nanos now,
                     Random& random);
  // How many have failed in a row now.
  uint32_t CountInARow(const BreakerState& state, const BreakerOutcome& outcome);
  BreakerReason ReasonToOpen(const BreakerCounts& counts) const;
  void Open(const BreakerState& from, BreakerReason reason, const BreakerCounts& counts,
            Nanos retry_after, Nanos now, Random& random);
  void Close(const BreakerState& from, const BreakerCounts& counts, Nanos now);
  bool Change(const BreakerState& from, const BreakerState& to, const BreakerCounts& counts,
              Nanos lasts);
  Nanos OpenTime(uint32_t reopened, Nanos retry_after, Random& random) const;

  const BreakerName name_;
  const BreakerSettings settings_;
  SharedWords words_;
  BreakerWindow window_;
  BreakerEvents* const events_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_H_
