// TryMeter: tells a cluster's balancer and its outlier detection about one try of a request: that
// it began, how it was answered, what it is judged as, that it ended. What they do not want to know
// costs a test of a flag. A member of whoever tries (the router, a mirror's copy); what it counted
// is given back when it is destroyed.
#ifndef SLUICE_CORE_UPSTREAM_TRY_METER_H_
#define SLUICE_CORE_UPSTREAM_TRY_METER_H_

#include "core/base/clock.h"
#include "core/http/headers.h"
#include "core/stats/shared_gauge.h"
#include "core/upstream/balance/try_outcome.h"
#include "core/upstream/worker_cluster.h"

namespace sluice {

class TryMeter {
 public:
  // What a failure counts as, at least: see LatencyAverage.
  static constexpr Nanos kFailure = kSecond;

  TryMeter() = default;
  ~TryMeter() { GiveBack(); }
  TryMeter(const TryMeter&) = delete;
  TryMeter& operator=(const TryMeter&) = delete;

  // The endpoint was chosen. REQUIRES: the last try has ended. The cluster lives until this one
  // has, the endpoint at least until OnHead and Judge have been called.
  void Begin(const WorkerCluster& cluster, WorkerEndpoint& endpoint);
  // The response's head is there, `latency` after the try began or its request had been sent,
  // whichever was later.
  void OnHead(uint16_t status, const Headers& headers, Nanos latency, Nanos now);
  void OnTrailers(const Headers& trailers, Nanos now);
  // Does it matter when Judge is called?
  bool waits() const { return !judged_ && endpoint_->outliers != nullptr; }
  // The verdict (VerdictOf); `latency`: as OnHead's, of what had no head. Once for each Begin; more
  // do nothing.
  void Judge(TryOutcome verdict, Nanos latency, Nanos now);
  // It is over. REQUIRES: it was judged.
  void End();

 private:
  void GiveBack();
  void AddLatency(Nanos latency, Nanos now);
  void ReadReport(const Headers& headers, Nanos now);

  const WorkerCluster* cluster_ = nullptr;  // null: no try runs
  WorkerEndpoint* endpoint_ = nullptr;      // used until it is judged
  SharedGauge active_;
  bool counted_ = false;
  bool judged_ = true;
  uint16_t status_ = 0;  // 0: not answered
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_TRY_METER_H_
