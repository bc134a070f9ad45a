// BodyWriter: frames the body of one outgoing message. It never writes bytes that the peer would
// take for something else: what does not fit the announced length is dropped, and broken() tells:
// the message stays short, so that the peer sees that it is. Owned by a codec.
#ifndef SLUICE_CORE_HTTP_HTTP1_BODY_WRITER_H_
#define SLUICE_CORE_HTTP_HTTP1_BODY_WRITER_H_

#include <cstdint>

#include "core/base/buffer.h"
#include "core/http/headers.h"

namespace sluice::http1 {

class BodyWriter {
 public:
  enum class Mode : uint8_t {
    kNone,     // no body is due; one is an error
    kDropped,  // a body may come, and is not sent: the answer to HEAD
    kLength,
    kChunked,
    kRaw,  // until the close, or a tunnel
  };

  void Begin(Mode mode, uint64_t length = 0) {
    mode_ = mode;
    left_ = length;
    broken_ = false;
  }
  Mode mode() const { return mode_; }

  void Write(Buffer& data, Buffer& out);
  void End(const Headers* trailers, Buffer& out);
  // More or fewer bytes came than were announced: the connection is of no use any more.
  bool broken() const { return broken_; }

 private:
  uint64_t left_ = 0;
  Mode mode_ = Mode::kNone;
  bool broken_ = false;
};

}  // namespace sluice::http1

#endif  // SLUICE_CORE_HTTP_HTTP1_BODY_WRITER_H_
