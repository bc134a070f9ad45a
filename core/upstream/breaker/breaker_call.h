// BreakerCall: one try of a request, at the breakers that let it in: those of its cluster, its
// route, its endpoint. It holds the response against the settings of each, and gives back what a
// try took that came to nothing. A member of the try; of the worker's thread.
//
// What is a failure is known with the response's head; of gRPC it may stand in the trailers, and a
// response may break off. So a call is over at its end, but for a probe, whose head decides: who
// tries whether an endpoint is well again should not wait for a long download. Slow is what takes
// long until the head.
#ifndef SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_CALL_H_
#define SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_CALL_H_

#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/event/loop.h"
#include "core/http/headers.h"
#include "core/upstream/balance/try_outcome.h"
#include "core/upstream/breaker/breaker.h"

namespace sluice {

struct BreakerRefusal {
  const Breaker* breaker = nullptr;
  BreakerState state;
  Nanos retry_after = 0;
};

class BreakerCall {
 public:
  static constexpr size_t kBreakers = 3;

  explicit BreakerCall(Loop& loop) : loop_(loop) {}
  ~BreakerCall() { Cancel(); }
  BreakerCall(const BreakerCall&) = delete;
  BreakerCall& operator=(const BreakerCall&) = delete;

  // May the try be made, as far as `breaker` is concerned? Null: it may. REQUIRES: fewer than
  // kBreakers let it in. The breaker, and `random`, live until it is over.
  bool Enter(Breaker* breaker, Random& random) {
    return breaker == nullptr || EnterBreaker(*breaker, random);
  }
  // The last that was refused.
  const BreakerRefusal& refusal() const { return refusal_; }

  // `latency`: since the request was sent, or the try began, if that was later.
  void OnHead(uint16_t status, const Headers& headers, Nanos latency, bool end) {
    if (count_ > 0) ReadHead(status, headers, latency, end);
  }
  void OnTrailers(const Headers& trailers) {
    if (count_ > 0) ReadGrpcStatus(trailers);
  }
  // It is over; `latency` as above, if there was no head. More than once does nothing.
  void End(TryOutcome outcome, Nanos latency) {
    if (count_ > 0) EndAll(outcome, latency);
  }
  // It was not made, or says nothing.
  void Cancel() {
    if (count_ > 0) CancelAll();
  }

 private:
  struct Entry {
    Breaker* breaker = nullptr;
    BreakerToken token;
    BreakerOutcome outcome;
  };

  bool EnterBreaker(Breaker& breaker, Random& random);
  void ReadHead(uint16_t status, const Headers& headers, Nanos latency, bool end);
  // Says whether there is one.
  bool ReadGrpcStatus(const Headers& headers);
  void EndAll(TryOutcome outcome, Nanos latency);
  void CancelAll();
  void Leave(const Entry& entry);
  // Without it.
  void Remove(size_t index);

  Loop& loop_;
  Random* random_ = nullptr;
  Entry entries_[kBreakers];
  size_t count_ = 0;
  bool has_head_ = false;
  BreakerRefusal refusal_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BREAKER_BREAKER_CALL_H_
