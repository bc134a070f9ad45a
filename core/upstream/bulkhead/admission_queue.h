// AdmissionQueue: requests that wait for their turn, of one worker: a bounded number, for a bounded
// time. The highest priority comes first, within it who came first; where there is no room, who
// came last of the lowest priority goes.
//
// A queue in which nobody's wait was below 5 ms for 100 ms stands: what comes out of it has been
// given up by its clients, or soon will be. Then the newest come first, and who has waited for 5 ms
// goes (CoDel's rule, with the numbers of Facebook's "Fail at scale"), until somebody enters
// without waiting: waits that were cut short say nothing of how long they would have been.
//
// Pure: knows no clock and no loop. Owned by a bulkhead; of its thread.
#ifndef SLUICE_CORE_UPSTREAM_BULKHEAD_ADMISSION_QUEUE_H_
#define SLUICE_CORE_UPSTREAM_BULKHEAD_ADMISSION_QUEUE_H_

#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"
#include "core/upstream/request_priority.h"

namespace sluice {

struct AdmissionQueueSettings {
  uint32_t requests = 0;  // that wait at most; 0: there is no queue
  Nanos wait = 100 * kMillisecond;
};

// One that waits. Its owner takes it out before destroying it.
class AdmissionWaiter {
 public:
  AdmissionWaiter() = default;
  AdmissionWaiter(const AdmissionWaiter&) = delete;
  AdmissionWaiter& operator=(const AdmissionWaiter&) = delete;

  RequestPriority priority() const { return priority_; }
  // When it was added.
  Nanos since() const { return since_; }
  bool queued() const { return queued_; }

 protected:
  ~AdmissionWaiter() = default;

 private:
  friend class AdmissionQueue;

  AdmissionWaiter* earlier_ = nullptr;
  AdmissionWaiter* later_ = nullptr;
  Nanos since_ = 0;
  RequestPriority priority_ = RequestPriority::kNormal;
  bool queued_ = false;
};

class AdmissionQueue {
 public:
  static constexpr Nanos kTarget = 5 * kMillisecond;
  static constexpr Nanos kInterval = 100 * kMillisecond;

  explicit AdmissionQueue(const AdmissionQueueSettings& settings) : settings_(settings) {}
  AdmissionQueue(const AdmissionQueue&) = delete;
  AdmissionQueue& operator=(const AdmissionQueue&) = delete;

  // Puts it in. Returns who finds no room: nullptr: nobody; perhaps `waiter`. That one is not in
  // the queue (any more). REQUIRES: it is in no queue.
  AdmissionWaiter* Add(AdmissionWaiter& waiter, RequestPriority priority, Nanos now);
  // Somebody came in without waiting.
  void OnPassed(Nanos now);
  // Takes out the next one for whom `enters` is true; nullptr: there is none. `look_on`: where one
  // cannot enter, those behind it may. (Else they are not asked.)
  template <typename Enters>
  AdmissionWaiter* TakeNext(Nanos now, bool look_on, Enters enters) {
    Look(now);
    for (size_t i = kRequestPriorities; i-- > 0;) {
      AdmissionWaiter* each = standing_ ? lines_[i].last : lines_[i].first;
      while (each != nullptr) {
        if (enters(*each)) {
          Leave(*each, now);
          return each;
        }
        if (!look_on) return nullptr;
        each = standing_ ? each->earlier_ : each->later_;
      }
    }
    return nullptr;
  }
  // Takes out one whose time is up; nullptr: there is none.
  AdmissionWaiter* TakeExpired(Nanos now);
  // It does not wait any more. REQUIRES: it is in this queue.
  void Remove(AdmissionWaiter& waiter);

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  // Does somebody wait who comes before a newcomer of that priority?
  bool IsAheadOf(RequestPriority priority) const;
  bool standing() const { return standing_; }

 private:
  // Of one priority, in the order of arrival.
  struct Line {
    AdmissionWaiter* first = nullptr;
    AdmissionWaiter* last = nullptr;
  };

  // Is it time to say whether the queue stands?
  void Look(Nanos now);
  void Leave(AdmissionWaiter& waiter, Nanos now);
  const AdmissionWaiter* Oldest() const;

  const AdmissionQueueSettings settings_;
  Line lines_[kRequestPriorities];
  size_t size_ = 0;
  Nanos interval_ = 0;          // when it began
  Nanos shortest_ = INT64_MAX;  // wait that ended in it
  bool left_ = false;           // in it
  bool standing_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BULKHEAD_ADMISSION_QUEUE_H_
