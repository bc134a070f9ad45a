#include "core/upstream/bulkhead/admission_queues.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace sluice {

AdmissionQueues::AdmissionQueues(const AdmissionQueueSettings& settings, bool many)
    : settings_(settings),
      buckets_(many ? std::bit_ceil(std::clamp<size_t>(settings.requests, 1, kMostBuckets)) : 1) {}

AdmissionQueues::~AdmissionQueues() {
  while (!turns_.empty()) Drop(turns_.front());
}

AdmissionWaiter* AdmissionQueues::Add(AdmissionWaiter& waiter, uint64_t consumer,
                                      RequestPriority priority, Nanos now) {
  AdmissionWaiter* out = nullptr;
  if (size_ >= settings_.requests) {
    out = FindToGo(consumer, priority);
    if (out == nullptr) return &waiter;
    Remove(*out);
  }
  AdmissionQueue& queue = Get(consumer);
  queue.Add(waiter, priority, now);
  Rank(static_cast<size_t>(priority), queue.line(priority));
  arrivals_.PushBack(waiter);
  ++size_;
  return out;
}

AdmissionWaiter* AdmissionQueues::FindToGo(uint64_t consumer, RequestPriority priority) {
  for (size_t i = 0; i <= static_cast<size_t>(priority); ++i) {
    AdmissionLine* const longest = Longest(i);
    if (longest == nullptr) continue;
    if (i == static_cast<size_t>(priority)) {
      AdmissionQueue* const own = Find(consumer);
      const size_t size = own == nullptr ? 0 : own->line(priority).size;
      if (longest->size <= size + 1) return nullptr;
    }
    return &longest->waiters.back();
  }
  return nullptr;
}

AdmissionQueue* AdmissionQueues::Find(uint64_t consumer) {
  AdmissionQueue* each = BucketOf(consumer);
  while (each != nullptr && each->consumer_ != consumer) each = each->next_;
  return each;
}

AdmissionQueue& AdmissionQueues::Get(uint64_t consumer) {
  if (AdmissionQueue* const known = Find(consumer)) return *known;
  std::unique_ptr<AdmissionQueue> queue;
  if (unused_.empty()) {
    queue = std::make_unique<AdmissionQueue>(settings_);
  } else {
    queue = std::move(unused_.back());
    unused_.pop_back();
  }
  queue->consumer_ = consumer;
  queue->yielded_ = false;
  queue->next_ = std::exchange(BucketOf(consumer), queue.get());
  turns_.PushBack(*queue);
  ++queues_;
  return *queue.release();
}

void AdmissionQueues::Drop(AdmissionQueue& queue) {
  AdmissionQueue** place = &BucketOf(queue.consumer_);
  while (*place != &queue) place = &(*place)->next_;
  *place = queue.next_;
  queue.ListNode<>::Unlink();
  queue.ListNode<AdmissionRoomTag>::Unlink();
  --queues_;
  std::unique_ptr<AdmissionQueue> unused(&queue);
  if (unused_.size() < kKept) unused_.push_back(std::move(unused));
}

void AdmissionQueues::Rank(size_t priority, AdmissionLine& line) {
  const auto rank = static_cast<uint32_t>(std::bit_width(line.size));
  if (std::exchange(line.rank, rank) == rank) return;
  line.Unlink();
  if (rank > 0) ranks_[priority][rank].PushBack(line);
}

AdmissionLine* AdmissionQueues::Longest(size_t priority) {
  for (size_t rank = kRanks; rank-- > 0;) {
    List<AdmissionLine>& lines = ranks_[priority][rank];
    if (!lines.empty()) return &lines.front();
  }
  return nullptr;
}

void AdmissionQueues::Remove(AdmissionWaiter& waiter) {
  AdmissionQueue& queue = *waiter.queue();
  queue.Remove(waiter);
  Left(queue, waiter);
}

void AdmissionQueues::LetIn(AdmissionWaiter& waiter, Nanos now) {
  AdmissionQueue& queue = *waiter.queue();
  queue.LetIn(waiter, now);
  Left(queue, waiter);
}

void AdmissionQueues::Left(AdmissionQueue& queue, AdmissionWaiter& waiter) {
  waiter.ListNode<AdmissionArrivalTag>::Unlink();
  --size_;
  Rank(static_cast<size_t>(waiter.priority()), queue.line(waiter.priority()));
  if (queue.empty()) Drop(queue);
}

AdmissionWaiter* AdmissionQueues::TakeExpired(Nanos now) {
  if (empty()) return nullptr;
  AdmissionWaiter& oldest = arrivals_.front();
  if (now - oldest.since() < settings_.wait) return nullptr;
  Remove(oldest);
  return &oldest;
}

AdmissionQueue& AdmissionQueues::TakeTurn() {
  AdmissionQueue& queue = turns_.front();
  queue.ListNode<>::Unlink();
  turns_.PushBack(queue);
  return queue;
}

}  // namespace sluice
