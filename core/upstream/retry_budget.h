// RetryBudget: how many retries a cluster bears: a share of its requests, and a few a second
// besides, over the last 10 s, over all workers and the processes of a restart. So an outage does
// not multiply what its clients send. After Finagle's RetryBudget (a share, a floor, a window that
// deposits expire from), counted in slots of a second instead of by deposit.
//
// One per worker and cluster; the shared words are the cluster's. A worker adds its requests to
// them once a second, and before it asks: sums of others lag by at most that.
#ifndef SLUICE_CORE_UPSTREAM_RETRY_BUDGET_H_
#define SLUICE_CORE_UPSTREAM_RETRY_BUDGET_H_

#include <cstdint>

#include "core/base/clock.h"
#include "core/stats/shared_word.h"

namespace sluice {

struct RetryBudgetSettings {
  double share = 0.2;      // of the requests
  double per_second = 10;  // besides
};

class RetryBudget {
 public:
  static constexpr int64_t kWindow = 10;  // seconds

  RetryBudget(const RetryBudgetSettings& settings, SharedWords words)
      : settings_(settings), words_(words) {}

  // A request that is no retry. `now`: of the monotonic clock.
  void OnRequest(Nanos now) {
    const int64_t second = now / kSecond;
    if (second != second_) Flush(second);
    ++requests_;
  }
  // Takes one retry out, if there is one.
  bool Take(Nanos now);

 private:
  void Flush(int64_t second);

  RetryBudgetSettings settings_;
  SharedWords words_;
  int64_t second_ = 0;
  uint64_t requests_ = 0;  // of second_, not in the words yet
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_RETRY_BUDGET_H_
