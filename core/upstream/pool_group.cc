#include "core/upstream/pool_group.h"

#include <utility>

#include "core/upstream/pool.h"

namespace sluice {

bool PoolGroup::CloseIdle() {
  for (size_t i = 0; i < kLooks && ready_ > 0; ++i) {
    Pool& pool = pools_.front();
    pool.ListNode<PoolGroupTag>::Unlink();
    pools_.PushBack(pool);
    if (pool.CloseIdle()) return true;
  }
  return false;
}

void PoolGroup::LookAgain(Pool& pool) {
  pool.ListNode<PoolWaitTag>::Unlink();
  waiting_.PushBack(pool);
  SetWaiting(true);
  if (!look_timer_.pending()) look_timer_.Start(kLookEvery);
}

void PoolGroup::SetWaiting(bool waits) {
  if (std::exchange(waits_, waits) == waits) return;
  waits ? limits_.starving.Add() : limits_.starving.Sub();
}

void PoolGroup::OnLook() {
  // Those that were asked the last time and found no room have said so since.
  if (waiting_.empty()) return SetWaiting(false);
  look_timer_.Start(kLookEvery);
  while (!waiting_.empty()) {
    Pool& pool = waiting_.front();
    pool.ListNode<PoolWaitTag>::Unlink();
    pool.ServeWaiting();
  }
}

void PoolGroup::OnYield() {
  if (ready_ > 0) yield_timer_.Start(kYieldEvery);
  if (waits_ || limits_.starving.value() == 0) return;
  for (uint64_t wanted = limits_.pending.value(); wanted > 0 && CloseIdle(); --wanted) {
  }
}

}  // namespace sluice
