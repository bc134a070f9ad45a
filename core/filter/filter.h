// Filter: looks at a message on its way and gives a Verdict. This header and stream_info.h,
// factory.h are what the author of a filter reads.
//
// Requests pass the filters of a listener in their order, responses in reverse. A filter sees a
// response only if it saw the request, also when a filter in the middle answered. One object a
// stream, in the stream's arena, on the stream's worker: it never meets a second thread.
//
// Bodies are pulled: the next piece comes when the last one was taken. `end` on a head means that
// no body follows; a body hook sees `end` exactly once, with empty data if need be, before
// trailers.
//
// A filter that waits returns Pause, keeps the pending operation (a Timer, a call) as a member, and
// calls context().Resume(verdict) from its callback. Destroying the filter destroys the member and
// so cancels: Resume on a stream that is over cannot happen.
#ifndef SLUICE_CORE_FILTER_FILTER_H_
#define SLUICE_CORE_FILTER_FILTER_H_

#include <cstdint>
#include <type_traits>

#include "core/base/buffer.h"
#include "core/filter/stream_info.h"
#include "core/filter/verdict.h"
#include "core/http/message.h"

namespace sluice {

class FilterChain;
class Loop;
class Random;
class Route;

// The filter's view of its stream. Lives as long as the filter.
class FilterContext {
 public:
  // The answer to a hook that returned Pause. Not from inside a hook: there, return the verdict.
  // If the filter holds both directions, it is the response that goes on.
  void Resume(Verdict verdict);

  RequestHead& request();
  // REQUIRES: a response has begun.
  ResponseHead& response();
  StreamInfo& info();
  Arena& arena();
  Loop& loop();
  Random& random();
  // The route of the request; null if none fits.
  const Route* route();
  // Looks the route up again after the head was changed. The filters stay those of the first route.
  void Reroute();
  // From a body hook: puts `rest`, taken from the end of the hook's data, back before whatever
  // comes next. The hook sees it again when the sink has taken what went on; `end` comes with it.
  // For a filter that lets data through more slowly than it comes.
  void UnreadRequestBody(Buffer rest);
  void UnreadResponseBody(Buffer rest);

 private:
  friend class FilterChain;
  FilterChain* chain_ = nullptr;
  uint8_t index_ = 0;
};

class Filter {
 public:
  virtual ~Filter() = default;  // destroying cancels whatever is pending: members are handles

  virtual Verdict OnRequestHeaders(RequestHead& head, bool end);
  virtual Verdict OnRequestBody(Buffer& data, bool end);
  virtual Verdict OnRequestTrailers(Headers& trailers);
  virtual Verdict OnResponseHeaders(ResponseHead& head, bool end);
  virtual Verdict OnResponseBody(Buffer& data, bool end);
  virtual Verdict OnResponseTrailers(Headers& trailers);
  // Once, always, when the stream is over; also for streams that the filter never saw a request of
  // (a head that could not be parsed). Nothing may be resumed any more.
  virtual void OnComplete(const StreamInfo& info);

 protected:
  FilterContext& context() { return context_; }

 private:
  friend class FilterChain;
  FilterContext context_;
};

// The hooks that a filter overrides, as a bit mask: what it does not override costs nothing.
enum FilterHook : uint8_t {
  kRequestHeadersHook = 1,
  kRequestBodyHook = 2,
  kRequestTrailersHook = 4,
  kResponseHeadersHook = 8,
  kResponseBodyHook = 16,
  kResponseTrailersHook = 32,
  kCompleteHook = 64,
};

template <typename T>
constexpr uint8_t HooksOf() {
  // A member that T inherits from Filter has the type "member of Filter".
  constexpr auto kInherited = []<typename M, typename B>(M, B) { return std::is_same_v<M, B>; };
  uint8_t hooks = 0;
  if (!kInherited(&T::OnRequestHeaders, &Filter::OnRequestHeaders)) hooks |= kRequestHeadersHook;
  if (!kInherited(&T::OnRequestBody, &Filter::OnRequestBody)) hooks |= kRequestBodyHook;
  if (!kInherited(&T::OnRequestTrailers, &Filter::OnRequestTrailers)) hooks |= kRequestTrailersHook;
  if (!kInherited(&T::OnResponseHeaders, &Filter::OnResponseHeaders)) hooks |= kResponseHeadersHook;
  if (!kInherited(&T::OnResponseBody, &Filter::OnResponseBody)) hooks |= kResponseBodyHook;
  if (!kInherited(&T::OnResponseTrailers, &Filter::OnResponseTrailers))
    hooks |= kResponseTrailersHook;
  if (!kInherited(&T::OnComplete, &Filter::OnComplete)) hooks |= kCompleteHook;
  return hooks;
}

}  // namespace sluice

#endif  // SLUICE_CORE_FILTER_FILTER_H_
