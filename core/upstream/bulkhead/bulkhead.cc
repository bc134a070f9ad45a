#include "core/upstream/bulkhead/bulkhead.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace sluice {

void BulkheadEntry::Leave() {
  const State state = state_;
  state_ = State::kOutside;
  if (state == State::kIn) bulkhead_->GiveBack(*this);
  if (state == State::kWaiting) bulkhead_->StopWaiting(*this);
}

Bulkhead::Bulkhead(Loop& loop, Random& random, const BulkheadSettings& settings,
                   const StatsRow& row)
    : loop_(loop),
      random_(random),
      settings_(settings),
      stats_(settings.stats.Bind(row)),
      queues_(settings.queue, settings.consumers != nullptr),
      work_task_(Callback::To<&Bulkhead::Work>(this)),
      look_timer_(loop, Callback::To<&Bulkhead::OnTimer>(this)) {
  if (!settings.adaptive) return;
  adaptive_.emplace(*settings.adaptive, settings.words);
  adaptive_->Adopt();
  settings.limit.Set(adaptive_->limit());
}

BulkheadEntry::State Bulkhead::Enter(BulkheadEntry& entry, RequestPriority priority,
                                     std::optional<uint64_t> consumer) {
  CHECK(entry.state_ == BulkheadEntry::State::kOutside);
  entry.bulkhead_ = this;
  // Who says no name shares the bulkhead of those who do not.
  if (settings_.consumers != nullptr) {
    entry.consumer_ = settings_.consumers->KeyOf(consumer.value_or(0));
  }
  const AdmissionQueue* const before = queues_.empty() ? nullptr : queues_.Find(entry.consumer_);
  const bool overtakes = before != nullptr && before->IsAheadOf(priority);
  if (!overtakes && Take(entry, priority)) return entry.state_;
  entry.state_ = BulkheadEntry::State::kRefused;
  entry.refusal_ = BulkheadStats::kFull;
  AdmissionWaiter* const out = settings_.queue.requests > 0
                                   ? queues_.Add(entry, entry.consumer_, priority, loop_.now())
                                   : &entry;
  if (out == &entry) {
    stats_.refused[BulkheadStats::kFull].Inc();
    return entry.state_;
  }
  entry.state_ = BulkheadEntry::State::kWaiting;
  AddWaiting(entry);
  if (out != nullptr) {
    evicted_.PushBack(static_cast<BulkheadEntry&>(*out));
    loop_.Defer(work_task_);
  }
  if (!look_timer_.pending()) look_timer_.Start(kLookEvery);
  return entry.state_;
}

bool Bulkhead::Take(BulkheadEntry& entry, RequestPriority priority) {
  const uint32_t all = limit();
  const uint32_t most = IsHigh(priority) ? all : settings_.WithoutReserve(all);
  if (settings_.consumers != nullptr) {
    if (!settings_.consumers->TryAdd(entry.consumer_, most)) return false;
    settings_.active.Add();
  } else if (!settings_.active.TryAdd(most)) {
    return false;
  }
  entry.state_ = BulkheadEntry::State::kIn;
  ++in_;
  return true;
}

void Bulkhead::GiveBack(BulkheadEntry& entry) {
  settings_.active.Sub();
  if (settings_.consumers != nullptr) settings_.consumers->Sub(entry.consumer_);
  --in_;
  AdmissionQueue* const queue = queues_.empty() ? nullptr : queues_.Find(entry.consumer_);
  if (queue == nullptr) return;
  if (Yields(*queue)) {
    queue->yielded_ = true;
    return;
  }
  queue->ListNode<AdmissionRoomTag>::Unlink();
  has_room_.PushBack(*queue);
  loop_.Defer(work_task_);
}

bool Bulkhead::Yields(const AdmissionQueue& queue) const {
  const bool one = settings_.waiters == nullptr;
  const auto own = static_cast<double>(queue.size());
  const uint64_t waiting =
      one ? settings_.waiting.value() : settings_.waiters->Get(queue.consumer_);
  const double all = std::max(own, static_cast<double>(waiting));
  // How many of a consumer's places this worker has is not known: this one is shared by itself.
  const double beyond = one ? in_ + 1 - limit() * own / all : 1 - own / all;
  return beyond > 0 && random_.Fraction() < beyond;
}

void Bulkhead::AddWaiting(const BulkheadEntry& entry) {
  settings_.waiting.Add();
  if (settings_.waiters != nullptr) settings_.waiters->TryAdd(entry.consumer_, UINT64_MAX);
}

void Bulkhead::SubWaiting(const BulkheadEntry& entry) {
  settings_.waiting.Sub();
  if (settings_.waiters != nullptr) settings_.waiters->Sub(entry.consumer_);
}

void Bulkhead::StopWaiting(BulkheadEntry& entry) {
  SubWaiting(entry);
  if (entry.queue() != nullptr) return queues_.Remove(entry);
  entry.ListNode<>::Unlink();  // evicted
}

void Bulkhead::AddSample(Nanos latency) {
  if (!adaptive_) return;
  if (!adaptive_->OnSample(latency, settings_.active.value())) return;
  settings_.limit.Set(adaptive_->limit());
  settings_.gradient.Set(static_cast<uint64_t>(adaptive_->gradient() * 100));
}

// Each callback may end other waits, and begin none. So a queue may be gone after it.
void Bulkhead::Work() {
  while (!evicted_.empty()) Refuse(evicted_.front(), BulkheadStats::kEvicted);
  while (!has_room_.empty()) {
    AdmissionQueue& queue = has_room_.front();
    queue.ListNode<AdmissionRoomTag>::Unlink();
    LetIn(queue.consumer_);
  }
}

void Bulkhead::OnTimer() {
  const Nanos now = loop_.now();
  for (size_t i = std::min(queues_.queues(), kLooks); i > 0 && !queues_.empty(); --i) {
    AdmissionQueue& queue = queues_.TakeTurn();
    const uint64_t consumer = queue.consumer_;
    if (!std::exchange(queue.yielded_, false)) LetIn(consumer);
    Cut(consumer);
  }
  while (AdmissionWaiter* const waiter = queues_.TakeExpired(now)) {
    Refuse(static_cast<BulkheadEntry&>(*waiter), BulkheadStats::kTimeout);
  }
  if (!queues_.empty()) look_timer_.Start(kLookEvery);
}

void Bulkhead::LetIn(uint64_t consumer) {
  const Nanos now = loop_.now();
  while (AdmissionQueue* const queue = queues_.Find(consumer)) {
    auto& entry = static_cast<BulkheadEntry&>(*queue->Next(now));
    if (!Take(entry, entry.priority())) return;
    queues_.LetIn(entry, now);
    SubWaiting(entry);
    stats_.wait.Record(static_cast<uint64_t>((now - entry.since()) / kMicrosecond));
    entry.decided_();
  }
}

void Bulkhead::Cut(uint64_t consumer) {
  while (AdmissionQueue* const queue = queues_.Find(consumer)) {
    AdmissionWaiter* const waiter = queue->FindCut(loop_.now());
    if (waiter == nullptr) return;
    queues_.Remove(*waiter);
    Refuse(static_cast<BulkheadEntry&>(*waiter), BulkheadStats::kTimeout);
  }
}

void Bulkhead::Refuse(BulkheadEntry& entry, BulkheadStats::Refusal why) {
  entry.ListNode<>::Unlink();
  SubWaiting(entry);
  stats_.refused[why].Inc();
  entry.state_ = BulkheadEntry::State::kRefused;
  entry.refusal_ = why;
  entry.decided_();
}

}  // namespace sluice
