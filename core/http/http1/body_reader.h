// BodyReader: takes the body of one message out of the read buffer: a length, chunks,
// until the close, or a tunnel. Bytes are moved out as slices. Owned by a codec.
#ifndef SLUICE_CORE_HTTP_HTTP1_BODY_READER_H_
#define SLUICE_CORE_HTTP_HTTP1_BODY_READER_H_

#include <cstdint>

#include "core/base/buffer.h"
#include "core/http/codec.h"
#include "core/http/http1/chunk_line.h"
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
  void BeginChunked() {
    mode_ = Mode::kChunked;
    left_ = 0;
    chunk_line_.Begin();
  }
  void BeginUntilClose() {
    mode_ = Mode::kUntilClose;
    left_ = UINT64_MAX;
  }

  Mode mode() const { return mode_; }
  // Takes what there is. True when the body has ended (not for kUntilClose, which never does).
  bool Read(Buffer& in, const BodySink& sink, const Fault*& fault);

 private:
  void PassData(Buffer& in, const BodySink& sink);
  bool ReadChunks(Buffer& in, const BodySink& sink, const Fault*& fault);
  bool ReadTrailers(Buffer& in, const BodySink& sink, const Fault*& fault);

  // Bytes to come, of kChunked those of the current chunk; of kTrailers the bytes read so far.
  uint64_t left_ = 0;
  Headers* trailers_ = nullptr;
  uint32_t max_size_;
  uint32_t max_count_;
  uint32_t searched_ = 0;  // of a trailer that is not whole: no LF in so many bytes
  ChunkLine chunk_line_;
  Mode mode_ = Mode::kNone;
};

}  // namespace sluice::http1

#endif  // SLUICE_CORE_HTTP_HTTP1_BODY_READER_H_
