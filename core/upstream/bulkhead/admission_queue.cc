#include "core/upstream/bulkhead/admission_queue.h"

#include <iterator>
#include <utility>

namespace sluice {

void AdmissionQueue::Add(AdmissionWaiter& waiter, RequestPriority priority, Nanos now) {
  if (empty()) {
    interval_ = now;
    shortest_ = INT64_MAX;
    standing_ = false;
  }
  Look(now);
  waiter.queue_ = this;
  waiter.priority_ = priority;
  waiter.since_ = now;
  AdmissionLine& own = line(priority);
  own.waiters.PushBack(waiter);
  ++own.size;
  ++size_;
}

void AdmissionQueue::Remove(AdmissionWaiter& waiter) {
  waiter.ListNode<AdmissionLineTag>::Unlink();
  waiter.queue_ = nullptr;
  --line(waiter.priority_).size;
  --size_;
}

void AdmissionQueue::LetIn(AdmissionWaiter& waiter, Nanos now) {
  shortest_ = std::min(shortest_, now - waiter.since_);
  Remove(waiter);
}

AdmissionWaiter* AdmissionQueue::Next(Nanos now) {
  Look(now);
  for (size_t i = kRequestPriorities; i-- > 0;) {
    List<AdmissionWaiter, AdmissionLineTag>& waiters = lines_[i].waiters;
    if (!waiters.empty()) return standing_ ? &waiters.back() : &waiters.front();
  }
  return nullptr;
}

AdmissionWaiter* AdmissionQueue::FindCut(Nanos now) {
  Look(now);
  if (!standing_) return nullptr;
  for (AdmissionLine& each : lines_) {
    if (each.size == 0 || now - each.waiters.front().since_ < settings_.target()) continue;
    return &each.waiters.front();
  }
  return nullptr;
}

bool AdmissionQueue::IsAheadOf(RequestPriority priority) const {
  return std::any_of(std::begin(lines_) + static_cast<size_t>(priority), std::end(lines_),
                     [](const AdmissionLine& each) { return each.size > 0; });
}

void AdmissionQueue::Look(Nanos now) {
  if (now - interval_ < settings_.interval()) return;
  standing_ = standing_ || shortest_ > settings_.target();
  interval_ = now;
  shortest_ = INT64_MAX;
}

}  // namespace sluice
