// Bulkhead: lets in at most so many requests at a time, over all workers; the rest waits in a queue
// for its turn, or is refused. One per worker and bulkhead of the configuration (BulkheadSettings);
// of the worker's thread.
//
// The count is shared by the workers, the queues are not: each worker tries to let its own waiters
// in when one of its own requests leaves, and every millisecond while somebody waits, for what
// leaves at others. So no worker calls another, and one whose requests have all left finds room a
// millisecond late at most (of more than kLooks consumers that wait, each has its turn at that).
// A worker that has more than its share of the places, by how many wait
// where, leaves one that it gives back to the others for a millisecond or two: otherwise who has
// the places would keep them.
//
// BulkheadEntry: a request's place in a bulkhead. A member of who waits for it; destroying it gives
// the place back, or ends the wait.
#ifndef SLUICE_CORE_UPSTREAM_BULKHEAD_BULKHEAD_H_
#define SLUICE_CORE_UPSTREAM_BULKHEAD_BULKHEAD_H_

#include <cstdint>
#include <optional>

#include "core/base/intrusive_list.h"
#include "core/base/random.h"
#include "core/event/callback.h"
#include "core/event/loop.h"
#include "core/stats/row.h"
#include "core/upstream/bulkhead/adaptive_limit.h"
#include "core/upstream/bulkhead/admission_queues.h"
#include "core/upstream/bulkhead/bulkhead_settings.h"

namespace sluice {

class Bulkhead;

class BulkheadEntry final : private AdmissionWaiter, private ListNode<> {
 public:
  enum class State : uint8_t { kOutside, kWaiting, kIn, kRefused };

  // `decided` is called when a wait has ended with kIn or kRefused, never inside of Enter.
  explicit BulkheadEntry(Callback decided) : decided_(decided) {}
  ~BulkheadEntry() { Leave(); }

  State state() const { return state_; }
  // REQUIRES: kRefused.
  BulkheadStats::Refusal refusal() const { return refusal_; }
  // Back to kOutside, from wherever it is.
  void Leave();

 private:
  friend class Bulkhead;
  template <typename T, typename Tag>
  friend class List;

  const Callback decided_;
  Bulkhead* bulkhead_ = nullptr;  // outlives its requests
  uint64_t consumer_ = 0;         // ConsumerCounts::KeyOf; 0 where all are one
  State state_ = State::kOutside;
  BulkheadStats::Refusal refusal_ = BulkheadStats::kFull;
};

class Bulkhead {
 public:
  // All outlive it.
  Bulkhead(Loop& loop, Random& random, const BulkheadSettings& settings, const StatsRow& row);
  Bulkhead(const Bulkhead&) = delete;
  Bulkhead& operator=(const Bulkhead&) = delete;

  // kIn or kRefused at once, or kWaiting. `consumer`: the hash of who asks, where each has a
  // bulkhead of its own. REQUIRES: the entry is outside.
  BulkheadEntry::State Enter(BulkheadEntry& entry, RequestPriority priority,
                             std::optional<uint64_t> consumer);
  // How long a request took that was let in: what an adaptive limit goes by.
  void AddSample(Nanos latency);

  const BulkheadSettings& settings() const { return settings_; }
  uint32_t limit() const { return adaptive_ ? adaptive_->limit() : settings_.requests; }
  BulkheadStats& stats() { return stats_; }

 private:
  friend class BulkheadEntry;

  static constexpr Nanos kLookEvery = kMillisecond;
  static constexpr size_t kLooks = 256;  // at so many queues each time

  bool Take(BulkheadEntry& entry, RequestPriority priority);
  void GiveBack(BulkheadEntry& entry);
  void StopWaiting(BulkheadEntry& entry);
  // Is the place that was given back for others than those of `queue`?
  bool Yields(const AdmissionQueue& queue) const;
  void AddWaiting(const BulkheadEntry& entry);
  void SubWaiting(const BulkheadEntry& entry);
  // Ends the waits that are over.
  void Work();
  void OnTimer();
  // Of one consumer: as many as there are places for; and those that its standing queue cuts.
  void LetIn(uint64_t consumer);
  void Cut(uint64_t consumer);
  void Refuse(BulkheadEntry& entry, BulkheadStats::Refusal why);

  Loop& loop_;
  Random& random_;
  const BulkheadSettings& settings_;
  BulkheadStats stats_;
  std::optional<AdaptiveLimit> adaptive_;
  AdmissionQueues queues_;
  List<BulkheadEntry> evicted_;                      // not told yet
  List<AdmissionQueue, AdmissionRoomTag> has_room_;  // perhaps
  Task work_task_;
  Timer look_timer_;  // set while somebody waits
  uint32_t in_ = 0;   // of this worker
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BULKHEAD_BULKHEAD_H_
