// BreakerBoard: all breakers of the process, for people: it logs their transitions and keeps the
// last ones, counts them, shows the states, and sets them for an operator. Owned by the server; of
// the main thread, to which a worker's transition is posted.
#ifndef SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_BOARD_H_
#define SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_BOARD_H_

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/event/loop.h"
#include "core/stats/directory.h"
#include "core/upstream/breaker/breaker.h"

namespace sluice {

class BreakerBoard final : public BreakerEvents {
 public:
  // Transitions that are kept.
  static constexpr size_t kKept = 16;

  struct Transition {
    Nanos wall = 0;
    std::string text;  // "clusters.api is open for 5s: 60% of 40 calls failed"
  };
  struct Row {
    const Breaker* breaker = nullptr;
    BreakerState state;
    BreakerCounts counts;
    Nanos left = 0;  // Breaker::Left
  };

  // The loop is the main thread's. Both outlive it.
  BreakerBoard(Loop& loop, StatsDirectory& stats);
  ~BreakerBoard();

  // One of each name, sorted by it.
  std::vector<Row> Rows() const;
  // The latest last.
  const std::deque<Transition>& transitions() const { return transitions_; }
  // Brings the gauges up to date: also other processes change states.
  void Refresh();
  // As Breaker::Force. False: there is none of that name.
  bool Force(std::string_view name, BreakerMode mode, bool metrics_only);

  // BreakerEvents
  void OnMade(Breaker& breaker) override;
  void OnGone(const Breaker& breaker) override;
  void OnTransition(const Breaker& breaker, const BreakerTransition& transition) override;

 private:
  struct Entry {
    Breaker* breaker = nullptr;
    Gauge state;
  };
  Counter Transitions(const BreakerName& name, BreakerMode to);
  void Tell(const BreakerName& name, const BreakerTransition& transition, const std::string& text);

  Loop& loop_;
  StatsDirectory& stats_;
  std::unordered_map<const Breaker*, Entry> entries_;
  std::deque<Transition> transitions_;
  Task refresh_;
};

// A new breaker, in the state that the last one of its scope and labels was in, in whatever
// process. `board`: null for none.
std::unique_ptr<Breaker> NewBreaker(BreakerName name, const BreakerSettings& settings,
                                    StatsDirectory& stats, BreakerBoard* board);
// As a sentence.
std::string TextOf(const Breaker& breaker, const BreakerTransition& transition);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_BOARD_H_
