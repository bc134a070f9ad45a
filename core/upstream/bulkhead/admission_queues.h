// AdmissionQueues: the queues of one worker's bulkhead: one, or where each consumer has a bulkhead
// of its own one for each that waits. A bounded number waits in all of them together, for a bounded
// time. Where there is no room, somebody of the lowest priority goes, and of one priority somebody
// of the consumer that most wait of: who floods the queue stands in nobody's way but his own.
//
// What it costs does not grow with how many wait. Pure: knows no clock and no loop. Owned by a
// bulkhead; of its thread.
#ifndef SLUICE_CORE_UPSTREAM_BULKHEAD_ADMISSION_QUEUES_H_
#define SLUICE_CORE_UPSTREAM_BULKHEAD_ADMISSION_QUEUES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/clock.h"
#include "core/base/intrusive_list.h"
#include "core/upstream/bulkhead/admission_queue.h"

namespace sluice {

class AdmissionQueues {
 public:
  // `many`: for consumers, or else for one only.
  AdmissionQueues(const AdmissionQueueSettings& settings, bool many);
  ~AdmissionQueues();
  AdmissionQueues(const AdmissionQueues&) = delete;
  AdmissionQueues& operator=(const AdmissionQueues&) = delete;

  // Puts it into the queue of its consumer, a number whose lower bits are spread evenly. Returns
  // who finds no room: null: nobody; perhaps `waiter`. That one is in no queue (any more).
  AdmissionWaiter* Add(AdmissionWaiter& waiter, uint64_t consumer, RequestPriority priority,
                       Nanos now);
  // The queue in which some of that consumer wait; null: none do. Valid until the last has left it.
  AdmissionQueue* Find(uint64_t consumer);
  // It does not wait any more, or comes in. REQUIRES: it is in a queue of these.
  void Remove(AdmissionWaiter& waiter);
  void LetIn(AdmissionWaiter& waiter, Nanos now);
  // Takes out one that has waited for as long as one may; null: there is none.
  AdmissionWaiter* TakeExpired(Nanos now);
  // Each queue in turn, if it is called again and again. REQUIRES: !empty().
  AdmissionQueue& TakeTurn();

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }      // those who wait
  size_t queues() const { return queues_; }  // in so many queues

 private:
  static constexpr size_t kMostBuckets = 1024;
  static constexpr size_t kKept = 64;  // queues that are not in use
  static constexpr size_t kRanks = 33;

  AdmissionQueue*& BucketOf(uint64_t consumer) {
    return buckets_[consumer & (buckets_.size() - 1)];
  }
  AdmissionQueue& Get(uint64_t consumer);
  void Drop(AdmissionQueue& queue);
  // Puts it among those of its size.
  void Rank(size_t priority, AdmissionLine& line);
  // Among the longest of that priority, none is twice as long as another; null: there is none.
  AdmissionLine* Longest(size_t priority);
  AdmissionWaiter* FindToGo(uint64_t consumer, RequestPriority priority);
  void Left(AdmissionQueue& queue, AdmissionWaiter& waiter);

  const AdmissionQueueSettings& settings_;
  std::vector<AdmissionQueue*> buckets_;
  List<AdmissionQueue> turns_;  // all
  List<AdmissionWaiter, AdmissionArrivalTag> arrivals_;
  List<AdmissionLine> ranks_[kRequestPriorities][kRanks];  // by the bits of their size
  std::vector<std::unique_ptr<AdmissionQueue>> unused_;
  size_t size_ = 0;
  size_t queues_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BULKHEAD_ADMISSION_QUEUES_H_
