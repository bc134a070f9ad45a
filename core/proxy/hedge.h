// Hedge: a request's second try, begun while the first one takes long: its timer, the try, and the
// head of its response, which comes while the first one's may be half there. In the stream's arena,
// owned by the router.
#ifndef SLUICE_CORE_PROXY_HEDGE_H_
#define SLUICE_CORE_PROXY_HEDGE_H_

#include "core/base/arena.h"
#include "core/event/loop.h"
#include "core/http/message.h"
#include "core/proxy/upstream_try.h"

namespace sluice {

class Hedge {
 public:
  // `router` owns it, and hears of it after `delay`.
  Hedge(Router& router, Arena& arena, Loop& loop, Nanos delay, Callback due)
      : timer_(loop, due), attempt_(router, loop), head_(arena) {
    timer_.Start(delay);
  }

  // It does not begin any more, if it has not.
  void Cancel() { timer_.Cancel(); }
  UpstreamTry& attempt() { return attempt_; }
  ResponseHead& head() { return head_; }

 private:
  Timer timer_;
  UpstreamTry attempt_;
  ResponseHead head_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_HEDGE_H_
