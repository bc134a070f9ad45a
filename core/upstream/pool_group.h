// PoolGroup: a worker's pools of one cluster, as far as they share its limit of connections: what
// idles in one of them makes room for who waits in another, at once on the same worker, and a
// little later for who waits on others. Who waits looks again at short intervals.
//
// Owned by the worker's cluster; outlives the pools. Of the worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_POOL_GROUP_H_
#define SLUICE_CORE_UPSTREAM_POOL_GROUP_H_

#include <cstddef>

#include "core/base/intrusive_list.h"
#include "core/event/loop.h"
#include "core/upstream/cluster_limits.h"

namespace sluice {

class Pool;

class PoolGroup {
 public:
  static constexpr Nanos kLookEvery = 5 * kMillisecond;
  static constexpr Nanos kYieldEvery = 200 * kMillisecond;

  // `limits` outlives it.
  PoolGroup(Loop& loop, const ClusterLimits& limits)
      : limits_(limits),
        look_timer_(loop, Callback::To<&PoolGroup::OnLook>(this)),
        yield_timer_(loop, Callback::To<&PoolGroup::OnYield>(this)) {}
  ~PoolGroup() {
    for (size_t i = 0; i < kConnectionLimits; ++i) SetStarving(i, false);
  }
  PoolGroup(const PoolGroup&) = delete;
  PoolGroup& operator=(const PoolGroup&) = delete;

  void Add(Pool& pool) { pools_.PushBack(pool); }
  // One more connection of a pool takes requests, or one fewer.
  void AddReady() {
    if (ready_++ == 0 && !yield_timer_.pending()) yield_timer_.Start(kYieldEvery);
  }
  void SubReady() { --ready_; }
  // Closes a connection that carries nothing, of whichever pool. False: none was found.
  bool CloseIdle();
  // The pool serves those who wait in it for that limit, if it can, in a little while.
  void LookAgain(Pool& pool, ClusterLimit limit);

 private:
  static constexpr size_t kLooks = 64;  // at so many pools for one that can close something

  void SetStarving(size_t limit, bool starves);
  Pool& NextPool();
  void OnLook();
  // Closes what idles, if others wait: of any pool for the cluster's limit, and of endpoints that
  // are full for theirs.
  void OnYield();

  const ClusterLimits& limits_;
  List<Pool, struct PoolGroupTag> pools_;
  List<Pool, struct PoolWaitTag> waiting_;
  Timer look_timer_;   // set while one waits
  Timer yield_timer_;  // set while there are some that take requests
  size_t ready_ = 0;
  bool starving_[kConnectionLimits] = {};  // counted
  bool starved_[kConnectionLimits] = {};   // since the last look
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_POOL_GROUP_H_
