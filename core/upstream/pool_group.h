// PoolGroup: a worker's pools of one cluster, as far as they share its limit of connections: what
// idles in one of them makes room for who waits in another, and who waits since there is no room
// looks again a little later: another worker may have made some.
//
// Owned by the worker's cluster; outlives the pools. Of the worker's thread.
#ifndef SLUICE_CORE_UPSTREAM_POOL_GROUP_H_
#define SLUICE_CORE_UPSTREAM_POOL_GROUP_H_

#include <cstddef>

#include "core/base/intrusive_list.h"
#include "core/event/loop.h"

namespace sluice {

class Pool;

class PoolGroup {
 public:
  static constexpr Nanos kLookEvery = 5 * kMillisecond;

  explicit PoolGroup(Loop& loop) : timer_(loop, Callback::To<&PoolGroup::OnTimer>(this)) {}
  PoolGroup(const PoolGroup&) = delete;
  PoolGroup& operator=(const PoolGroup&) = delete;

  void Add(Pool& pool) { pools_.PushBack(pool); }
  // One more connection of a pool takes requests, or one fewer.
  void AddReady() { ++ready_; }
  void SubReady() { --ready_; }
  // Closes a connection that carries nothing, of whichever pool. False: none was found.
  bool CloseIdle();
  // The pool serves those who wait in it, if it can, in a little while.
  void LookAgain(Pool& pool);

 private:
  static constexpr size_t kLooks = 64;  // at so many pools for one that can close something

  void OnTimer();

  List<Pool, struct PoolGroupTag> pools_;
  List<Pool, struct PoolWaitTag> waiting_;
  Timer timer_;  // set while one waits
  size_t ready_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_POOL_GROUP_H_
