// BulkheadPass: a request's way through the bulkhead of its route, then of its cluster. Made by the
// router where there is one of them, in the stream's arena; of the worker's thread.
#ifndef SLUICE_CORE_PROXY_BULKHEAD_PASS_H_
#define SLUICE_CORE_PROXY_BULKHEAD_PASS_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/clock.h"
#include "core/event/callback.h"
#include "core/event/loop.h"
#include "core/upstream/bulkhead/bulkhead.h"

namespace sluice {

class StreamInfo;
struct RequestHead;

class BulkheadPass {
 public:
  enum class Answer : uint8_t { kWaits, kPassed, kRefused };

  // `route` may be null. `decided` is called when a wait is over, never inside of Enter. `head`: of
  // the request as it came, where its consumer is found.
  BulkheadPass(Loop& loop, Bulkhead* route, const RequestHead& head, const StreamInfo& info,
               Callback decided);

  // On the way to a cluster; `cluster`, its bulkhead, may be null. Again for another cluster, as a
  // fallback: that of the route has been passed then, or did not let it in in time, and is not
  // asked again.
  Answer Enter(Bulkhead* cluster, const StreamInfo& info);
  Answer answer() const { return answer_; }
  // Why not, for the log. REQUIRES: kRefused.
  std::string_view refusal() const;

  // The upstream answered, or the request's time was up: how long that took is what an adaptive
  // limit goes by. `sent`: when the last of the request had gone upstream; 0: it has not. One whose
  // time is up before it came in is counted as refused for that.
  void OnAnswered(uint16_t status, Nanos sent);
  void OnTimeout();
  // Gives back what was entered, or waits no more.
  void Leave();

 private:
  Answer EnterCluster();
  Answer AnswerOf(BulkheadEntry::State state);
  void OnRouteDecided();
  void OnClusterDecided();
  void AddSample(Nanos since);

  Loop& loop_;
  Bulkhead* const route_;
  const std::optional<uint64_t> consumer_;
  Bulkhead* cluster_ = nullptr;
  const Callback decided_;
  BulkheadEntry at_route_;
  BulkheadEntry at_cluster_;
  Nanos passed_ = 0;
  RequestPriority priority_ = RequestPriority::kNormal;
  Answer answer_ = Answer::kRefused;  // of the last Enter
  bool asked_route_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_BULKHEAD_PASS_H_
