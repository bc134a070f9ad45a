// LastFilter: what stands behind the filters and answers: the router, the admin API, the echo
// server. There is one for each stream, in its arena. Requests come to it as to a filter; its
// response goes out through the Responder.
//
// Flow: PullRequestBody asks for one more piece of the request's body, OnResponseWanted says that
// the response's last piece was taken and one more may be sent.
#ifndef SLUICE_CORE_FILTER_LAST_FILTER_H_
#define SLUICE_CORE_FILTER_LAST_FILTER_H_

#include <cstdint>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/filter/local_reply.h"
#include "core/filter/stream_info.h"
#include "core/http/message.h"

namespace sluice {

class Loop;
class Random;

// The stream, as its last filter sees it. Outlives the last filter.
class Responder {
 public:
  // Asks for the next piece of the request's body. REQUIRES: the head did not say `end`, and the
  // last piece asked for has come.
  virtual void PullRequestBody() = 0;

  // 103 and the like: sent at once, through no filter. 100 is the stream's own business.
  virtual void SendInformational(uint16_t status, const Headers& headers) = 0;
  // The head to fill in before StartResponse.
  virtual ResponseHead& response_head() = 0;
  // Sends response_head() through the filters. `end`: no body and no trailers follow.
  virtual void StartResponse(bool end) = 0;
  // May a piece of the body be sent now? If not, OnResponseWanted follows when it may.
  virtual bool response_wanted() const = 0;
  // A piece of the body. REQUIRES: response_wanted(). `trailers`, only with `end`, may be null; it
  // lives as long as the stream.
  virtual void SendBody(Buffer&& data, bool end, Headers* trailers) = 0;
  // A whole answer in one call. REQUIRES: StartResponse was not called.
  virtual void Reply(LocalReply reply) = 0;
  // Gives up after StartResponse: the client's connection (or stream) is reset, so that it does not
  // take a part for the whole.
  virtual void AbortResponse(Error error) = 0;
  // From here on both bodies are opaque bytes, and each way ends by itself: SendBody's end and
  // OnRequestBody's leave the other as it is, until EndTunnel. REQUIRES: the response's head went
  // out with 101, or with 2xx to CONNECT.
  virtual void Tunnel() = 0;
  // Both ways are over, or nothing can go on: the client gets what was sent, then its end.
  virtual void EndTunnel() = 0;

  virtual RequestHead& request_head() = 0;
  virtual StreamInfo& stream_info() = 0;
  virtual Arena& stream_arena() = 0;
  virtual Loop& stream_loop() = 0;
  virtual Random& stream_random() = 0;

 protected:
  ~Responder() = default;
};

class LastFilter {
 public:
  virtual ~LastFilter() = default;  // destroying cancels whatever is pending

  virtual void OnRequestHeaders(RequestHead& head, bool end) = 0;
  // Takes the data. With `end`, `trailers` may be there too, until the stream is over.
  virtual void OnRequestBody(Buffer& data, bool end, Headers* trailers) = 0;
  virtual void OnResponseWanted() = 0;
  // When bytes of the request last moved on from here; 0: that is not known.
  virtual Nanos LastMoved() const { return 0; }
  // A filter answered, or the stream timed out: the answer does not come from here, stop working
  // for it. Nothing is called afterwards.
  virtual void OnAbandoned() = 0;
};

// One per worker and listener.
class LastFilterFactory {
 public:
  virtual ~LastFilterFactory() = default;
  virtual ArenaPtr<LastFilter> Create(Responder& responder) = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_FILTER_LAST_FILTER_H_
