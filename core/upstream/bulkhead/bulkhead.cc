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
      queue_(settings.queue),
      work_task_(Callback::To<&Bulkhead::Work>(this)),
      look_timer_(loop, Callback::To<&Bulkhead::OnTimer>(this)) {
  if (settings.adaptive) adaptive_.emplace(*settings.adaptive, settings.words);
}

BulkheadEntry::State Bulkhead::Enter(BulkheadEntry& entry, RequestPriority priority,
                                     std::optional<uint64_t> consumer) {
  CHECK(entry.state_ == BulkheadEntry::State::kOutside);
  entry.bulkhead_ = this;
  const bool separate = settings_.consumers != nullptr;
  // Who says no name shares the bulkhead of those who do not.
  if (separate) entry.consumer_ = settings_.consumers->Of(consumer.value_or(0));
  const bool queues = settings_.queue.requests > 0;
  // Those who wait want the same, unless each consumer has a bulkhead of its own.
  const bool overtakes = !separate && queue_.IsAheadOf(priority);
  if (!overtakes && Take(entry, priority)) {
    if (queues) queue_.OnPassed(loop_.now());
    return entry.state_;
  }
  entry.state_ = BulkheadEntry::State::kRefused;
  entry.refusal_ = BulkheadStats::kFull;
  AdmissionWaiter* const out = queues ? queue_.Add(entry, priority, loop_.now()) : &entry;
  if (out == &entry) {
    stats_.refused[BulkheadStats::kFull].Inc();
    return entry.state_;
  }
  entry.state_ = BulkheadEntry::State::kWaiting;
  settings_.waiting.Add();
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
    if (!entry.consumer_.TryAdd(most)) return false;
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
  if (settings_.consumers != nullptr) entry.consumer_.Sub();
  --in_;
  if (queue_.empty()) return;
  if (Yields()) {
    yielded_ = true;
  } else {
    loop_.Defer(work_task_);
  }
}

bool Bulkhead::Yields() const {
  const auto own = static_cast<double>(queue_.size());
  const double all = std::max(own, static_cast<double>(settings_.waiting.value()));
  // Places are those of many bulkheads where each consumer has one.
  const double places = settings_.consumers != nullptr ? 1 : limit();
  const double beyond = (settings_.consumers != nullptr ? 1 : in_ + 1) - places * own / all;
  return beyond > 0 && random_.Fraction() < beyond;
}

void Bulkhead::StopWaiting(BulkheadEntry& entry) {
  settings_.waiting.Sub();
  if (entry.queued()) return queue_.Remove(entry);
  entry.ListNode<>::Unlink();  // evicted
}

void Bulkhead::AddSample(Nanos latency) {
  if (!adaptive_) return;
  if (adaptive_->OnSample(latency, settings_.active.value())) {
    settings_.limit.Set(adaptive_->limit());
  }
}

// Each callback may end other waits, and begin none.
void Bulkhead::Work() {
  while (!evicted_.empty()) Refuse(evicted_.front(), BulkheadStats::kEvicted);
  LetIn();
  Expire();
}

void Bulkhead::OnTimer() {
  if (!std::exchange(yielded_, false)) LetIn();
  Expire();
  if (!queue_.empty()) look_timer_.Start(kLookEvery);
}

void Bulkhead::LetIn() {
  const Nanos now = loop_.now();
  const auto enters = [this](AdmissionWaiter& waiter) {
    return Take(static_cast<BulkheadEntry&>(waiter), waiter.priority());
  };
  const bool look_on = settings_.consumers != nullptr;
  while (AdmissionWaiter* const waiter = queue_.TakeNext(now, look_on, enters)) {
    settings_.waiting.Sub();
    stats_.wait.Record(static_cast<uint64_t>((now - waiter->since()) / kMicrosecond));
    static_cast<BulkheadEntry*>(waiter)->decided_();
  }
}

void Bulkhead::Expire() {
  const Nanos now = loop_.now();
  while (AdmissionWaiter* const waiter = queue_.TakeExpired(now)) {
    Refuse(static_cast<BulkheadEntry&>(*waiter), BulkheadStats::kTimeout);
  }
}

void Bulkhead::Refuse(BulkheadEntry& entry, BulkheadStats::Refusal why) {
  entry.ListNode<>::Unlink();
  settings_.waiting.Sub();
  stats_.refused[why].Inc();
  entry.state_ = BulkheadEntry::State::kRefused;
  entry.refusal_ = why;
  entry.decided_();
}

}  // namespace sluice
