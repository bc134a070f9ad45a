// AdmissionQueue: requests that wait for their turn: the highest priority comes first, within it
// who came first. Of one worker, and of one consumer where each has a bulkhead of its own: one of
// the AdmissionQueues, which say how many may wait, and for how long.
//
// A queue that was never empty for an interval, in which nobody came in that had waited for less
// than a twentieth of it, stands: what comes out of it has been given up by its clients, or soon
// will be. Then the newest come first, and who has waited for that twentieth goes (CoDel's rule;
// with the usual 100 ms and 5 ms as in Facebook's "Fail at scale"), until the queue is empty: waits
// that are cut short say nothing of how long they would have been. The interval is the wait that is
// allowed, if that is longer: who allows a second wants a second's burst to be served.
//
// Pure: knows no clock and no loop. Of its bulkhead's thread.
#ifndef SLUICE_CORE_UPSTREAM_BULKHEAD_ADMISSION_QUEUE_H_
#define SLUICE_CORE_UPSTREAM_BULKHEAD_ADMISSION_QUEUE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"
#include "core/base/intrusive_list.h"
#include "core/upstream/request_priority.h"

namespace sluice {

class AdmissionQueue;

struct AdmissionQueueSettings {
  uint32_t requests = 0;  // that wait at most; 0: there is no queue
  Nanos wait = 100 * kMillisecond;

  Nanos interval() const { return std::max(wait, 100 * kMillisecond); }
  Nanos target() const { return interval() / 20; }
};

// One that waits. Its owner takes it out before destroying it.
class AdmissionWaiter : public ListNode<struct AdmissionLineTag>,
                        public ListNode<struct AdmissionArrivalTag> {
 public:
  RequestPriority priority() const { return priority_; }
  // When it was added.
  Nanos since() const { return since_; }
  // Null: it is in none.
  AdmissionQueue* queue() const { return queue_; }

 protected:
  AdmissionWaiter() = default;
  ~AdmissionWaiter() = default;

 private:
  friend class AdmissionQueue;

  AdmissionQueue* queue_ = nullptr;
  Nanos since_ = 0;
  RequestPriority priority_ = RequestPriority::kNormal;
};

// Those of one priority in a queue, in the order of arrival.
struct AdmissionLine final : ListNode<> {
  List<AdmissionWaiter, AdmissionLineTag> waiters;
  uint32_t size = 0;
  uint32_t rank = 0;  // among the lines of all queues, by size: of AdmissionQueues
};

class AdmissionQueue final : public ListNode<>, public ListNode<struct AdmissionRoomTag> {
 public:
  explicit AdmissionQueue(const AdmissionQueueSettings& settings) : settings_(settings) {}

  // REQUIRES: it is in no queue.
  void Add(AdmissionWaiter& waiter, RequestPriority priority, Nanos now);
  // It does not wait any more. REQUIRES: it is in this queue.
  void Remove(AdmissionWaiter& waiter);
  // It comes in, and leaves the queue. The same is required.
  void LetIn(AdmissionWaiter& waiter, Nanos now);
  // Whose turn it is; null: nobody waits.
  AdmissionWaiter* Next(Nanos now);
  // One that has to go since the queue stands; null: there is none.
  AdmissionWaiter* FindCut(Nanos now);
  // Does somebody wait who comes before a newcomer of that priority?
  bool IsAheadOf(RequestPriority priority) const;

  AdmissionLine& line(RequestPriority priority) { return lines_[static_cast<size_t>(priority)]; }
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  bool standing() const { return standing_; }

 private:
  friend class AdmissionQueues;
  friend class Bulkhead;

  // Is it time to say whether the queue stands?
  void Look(Nanos now);

  const AdmissionQueueSettings& settings_;
  AdmissionLine lines_[kRequestPriorities];
  size_t size_ = 0;
  Nanos interval_ = 0;          // when it began
  Nanos shortest_ = INT64_MAX;  // wait of those who came in during it
  bool standing_ = false;
  // AdmissionQueues': the consumer, and the next queue of the same bucket.
  uint64_t consumer_ = 0;
  AdmissionQueue* next_ = nullptr;
  // The bulkhead's: a place was left to other workers.
  bool yielded_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BULKHEAD_ADMISSION_QUEUE_H_
