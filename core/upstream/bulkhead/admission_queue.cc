#include "core/upstream/bulkhead/admission_queue.h"

#include <algorithm>

namespace sluice {

AdmissionWaiter* AdmissionQueue::Add(AdmissionWaiter& waiter, RequestPriority priority, Nanos now) {
  Look(now);
  AdmissionWaiter* out = nullptr;
  if (size_ >= settings_.requests) {
    for (size_t i = 0; i < static_cast<size_t>(priority) && out == nullptr; ++i) {
      out = lines_[i].last;
    }
    if (out == nullptr) return &waiter;
    Leave(*out, now);
  }
  Line& line = lines_[static_cast<size_t>(priority)];
  waiter.priority_ = priority;
  waiter.since_ = now;
  waiter.queued_ = true;
  waiter.earlier_ = line.last;
  waiter.later_ = nullptr;
  (line.last == nullptr ? line.first : line.last->later_) = &waiter;
  line.last = &waiter;
  ++size_;
  return out;
}

void AdmissionQueue::Remove(AdmissionWaiter& waiter) {
  Line& line = lines_[static_cast<size_t>(waiter.priority_)];
  (waiter.earlier_ == nullptr ? line.first : waiter.earlier_->later_) = waiter.later_;
  (waiter.later_ == nullptr ? line.last : waiter.later_->earlier_) = waiter.earlier_;
  waiter.earlier_ = waiter.later_ = nullptr;
  waiter.queued_ = false;
  --size_;
}

void AdmissionQueue::OnPassed(Nanos now) {
  Look(now);
  shortest_ = 0;
}

AdmissionWaiter* AdmissionQueue::TakeExpired(Nanos now) {
  Look(now);
  const Nanos wait = standing_ ? std::min(settings_.wait, kTarget) : settings_.wait;
  for (const Line& line : lines_) {
    AdmissionWaiter* const waiter = line.first;
    if (waiter == nullptr || now - waiter->since_ < wait) continue;
    Leave(*waiter, now);
    return waiter;
  }
  return nullptr;
}

bool AdmissionQueue::IsAheadOf(RequestPriority priority) const {
  return std::any_of(std::begin(lines_) + static_cast<size_t>(priority), std::end(lines_),
                     [](const Line& line) { return line.first != nullptr; });
}

void AdmissionQueue::Leave(AdmissionWaiter& waiter, Nanos now) {
  left_ = true;
  if (!standing_) shortest_ = std::min(shortest_, now - waiter.since_);
  Remove(waiter);
}

const AdmissionWaiter* AdmissionQueue::Oldest() const {
  const AdmissionWaiter* oldest = nullptr;
  for (const Line& line : lines_) {
    if (line.first == nullptr) continue;
    if (oldest == nullptr || line.first->since_ < oldest->since_) oldest = line.first;
  }
  return oldest;
}

void AdmissionQueue::Look(Nanos now) {
  const Nanos elapsed = now - interval_;
  if (elapsed < kInterval) return;
  if (!left_ && shortest_ == INT64_MAX) {
    // Nobody came through. Whoever is first in the queue waits at least as long as until now.
    const AdmissionWaiter* const oldest = Oldest();
    shortest_ = oldest == nullptr ? 0 : now - oldest->since_;
  }
  // Of an interval long ago nothing is known that holds now: then nobody was here since.
  standing_ = shortest_ > kTarget && (elapsed < 2 * kInterval || !empty());
  interval_ = now;
  shortest_ = INT64_MAX;
  left_ = false;
}

}  // namespace sluice
