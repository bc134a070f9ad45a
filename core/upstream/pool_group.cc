#include "core/upstream/pool_group.h"

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
  if (!timer_.pending()) timer_.Start(kLookEvery);
}

void PoolGroup::OnTimer() {
  while (!waiting_.empty()) {
    Pool& pool = waiting_.front();
    pool.ListNode<PoolWaitTag>::Unlink();
    pool.ServeWaiting();
  }
}

}  // namespace sluice
