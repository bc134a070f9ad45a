// BodyReader: takes the body of one message out of the read buffer: a length, chunks (llhttp),
// until the close, or a tunnel. Bytes are moved out as slices. Owned by a codec.
#ifndef SLUICE_CORE_HTTP_HTTP1_BODY_READER_H_
#define SLUICE_CORE_HTTP_HTTP1_BODY_READER_H_

#include <llhttp/llhttp.h>

#include <cstdint>

#include "core/base/buffer.h"
#include "core/http/codec.h"
#include "core/http/http1/fault.h"

namespace sluice::http1 {

// Where the pieces go.
struct BodySink {
  CodecEvents& events;
  StreamId id;
  Arena& arena;      // for trailers
  const bool& stop;  // set by an event: nothing more of this body is wanted
};

class BodyReader {
 public:
  enum class Mode : uint8_t { kNone, kLength, kChunked, kTrailers, kUntilClose };

  // The size limits are those of a head: they hold for the trailers too.
  explicit BodyReader(const CodecLimits& limits)
      : max_size_(limits.head_size), max_count_(limits.header_count) {}

  void Begin(uint64_t length) {
    mode_ = length == 0 ? Mode::kNone : Mode::kLength;
    left_ = length;
  }
  // `parser` has just read the start line of the message.
  void BeginChunked(llhttp_t& parser);
  void BeginUntilClose() { mode_ = Mode::kUntilClose; }

  Mode mode() const { return mode_; }
  // Takes what there is. True when the body has ended (not for kUntilClose, which never does).
  bool Read(Buffer& in, llhttp_t& parser, const BodySink& sink, const Fault*& fault);

 private:
  bool ReadChunks(Buffer& in, llhttp_t& parser, const BodySink& sink, const Fault*& fault);
  bool ReadTrailers(Buffer& in, const BodySink& sink, const Fault*& fault);

  uint64_t left_ = 0;  // bytes to come of kLength; of kTrailers the bytes read so far
  Headers* trailers_ = nullptr;
  uint32_t max_size_;
  uint32_t max_count_;
  uint32_t extension_ = 0;  // bytes of extensions of the current chunk; searched bytes of a trailer
  Mode mode_ = Mode::kNone;
};

}  // namespace sluice::http1

#endif  // SLUICE_CORE_HTTP_HTTP1_BODY_READER_H_
