#include "core/upstream/pool_group.h"

#include <utility>

#include "core/upstream/pool.h"

namespace sluice {

Pool& PoolGroup::NextPool() {
  Pool& pool = pools_.front();
  pool.ListNode<PoolGroupTag>::Unlink();
  pools_.PushBack(pool);
  return pool;
}

bool PoolGroup::CloseIdle() {
  for (size_t i = 0; i < kLooks && ready_ > 0; ++i) {
    if (NextPool().CloseIdle()) return true;
  }
  return false;
}

void PoolGroup::LookAgain(Pool& pool, ClusterLimit limit) {
  pool.ListNode<PoolWaitTag>::Unlink();
  waiting_.PushBack(pool);
  starved_[static_cast<size_t>(limit)] = true;
  SetStarving(static_cast<size_t>(limit), true);
  if (!look_timer_.pending()) look_timer_.Start(kLookEvery);
}

void PoolGroup::SetStarving(size_t limit, bool starves) {
  if (std::exchange(starving_[limit], starves) == starves) return;
  starves ? limits_.starving[limit].Add() : limits_.starving[limit].Sub();
}

void PoolGroup::OnLook() {
  // Those that were asked the last time and found no room have said so since.
  for (size_t i = 0; i < kConnectionLimits; ++i) SetStarving(i, std::exchange(starved_[i], false));
  if (waiting_.empty()) return;
  look_timer_.Start(kLookEvery);
  while (!waiting_.empty()) {
    Pool& pool = waiting_.front();
    pool.ListNode<PoolWaitTag>::Unlink();
    pool.ServeWaiting();
  }
}

void PoolGroup::OnYield() {
  if (ready_ > 0) yield_timer_.Start(kYieldEvery);
  constexpr auto kCluster = static_cast<size_t>(ClusterLimit::kConnections);
  constexpr auto kEndpoint = static_cast<size_t>(ClusterLimit::kConnectionsPerEndpoint);
  uint64_t wanted = limits_.pending.value();
  if (!starving_[kCluster] && limits_.starving[kCluster].value() > 0) {
    while (wanted > 0 && CloseIdle()) --wanted;
  }
  // Who starves here does so at other endpoints: at its own nothing idles.
  if (limits_.starving[kEndpoint].value() == 0) return;
  for (size_t i = 0; i < kLooks && ready_ > 0 && wanted > 0; ++i) {
    Pool& pool = NextPool();
    if (pool.EndpointIsFull() && pool.CloseIdle()) --wanted;
  }
}

}  // namespace sluice
