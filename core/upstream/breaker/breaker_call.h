// BreakerCall: one try of a request, at the breakers that let it in: those of its cluster, its
// route, its endpoint. It holds the response against the settings of each, and gives back what a
// try took that came to nothing. A member of the try; of the worker's thread.
//
// When a call is over is the try's to say (TryOutcome), but for a head that is a failure: that is
// one at once. Of gRPC the status may stand in the trailers. Slow is what takes long until the
// head.
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
  void OnHead(uint16_t status, const Headers& headers, Nanos latency) {
    if (count_ > 0) ReadHead(status, headers, latency);
  }
  void OnTrailers(const Headers& trailers) {
    if (count_ > 0) ReadGrpcStatus(trailers);
  }
  // Is there one that End is to be told to?
  bool waits() const { return count_ > 0; }
  // Judged as this; `latency` as above, if there was no head. More than once does nothing.
  void End(TryOutcome verdict, Nanos latency) {
    if (count_ > 0) EndAll(verdict, latency);
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
  void ReadHead(uint16_t status, const Headers& headers, Nanos latency);
  void ReadGrpcStatus(const Headers& headers);
  void EndAll(TryOutcome verdict, Nanos latency);
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
