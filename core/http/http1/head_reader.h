// HeadReader: reads the head of one message out of a read buffer, without copying it. The start
// line goes through llhttp, which refuses garbage at its first wrong byte; the fields are read by
// field_line.h. Entries of the head are views into the front slice of the buffer; should the owner
// have to move those bytes, to have them in one run, the views move along.
//
// Owned by a codec. No byte is looked at more than twice, however the head is cut up; the verdict
// does not depend on how it is.
#ifndef SLUICE_CORE_HTTP_HTTP1_HEAD_READER_H_
#define SLUICE_CORE_HTTP_HTTP1_HEAD_READER_H_

#include <llhttp/llhttp.h>

#include <cstdint>
#include <string_view>

#include "core/base/buffer.h"
#include "core/http/codec.h"
#include "core/http/http1/fault.h"

namespace sluice::http1 {

class HeadReader {
 public:
  HeadReader(llhttp_type_t type, const CodecLimits& limits);

  // A message begins with the first byte of the buffer that Read sees next.
  void Begin(Headers& headers);
  // Reads on. True when the head is complete, false when more bytes are needed. The front slice of
  // `in` then holds the whole head.
  // REQUIRES: `in` is not empty, and begins with the same bytes as at the last call.
  bool Read(Buffer& in, const Fault*& fault);

  // Once the head is complete:
  size_t size() const { return line_; }  // with the empty line
  std::string_view method() const { return {base_, word_size_}; }
  std::string_view target() const { return {base_ + word_size_ + 1, target_size_}; }
  std::string_view reason() const;
  llhttp_t& parser() { return parser_; }

 private:
  enum class Stage : uint8_t { kStartLine, kBadMethod, kFields };

  bool ReadStartLine(const char* end, const Fault*& fault);
  bool ReadFields(const char* end, const Fault*& fault);
  const Fault* CheckRequestLine(std::string_view line);
  const Fault* CheckStatusLine(std::string_view line);
  const Fault* StartLineFault(int error, const char* end);
  const Fault* BadMethod(const char* end) const;
  bool TargetTooLong(const char* end) const;
  void Rebase(const char* base);

  llhttp_t parser_;
  CodecLimits limits_;
  Headers* headers_ = nullptr;
  const char* base_ = nullptr;  // where the head began at the last Read
  uint32_t line_ = 0;           // offset of the first line that is not read yet
  uint32_t seen_ = 0;           // no LF in [line_, seen_); of the start line: what llhttp has read
  uint32_t word_size_ = 0;      // of the request's method
  uint32_t target_size_ = 0;
  uint32_t start_line_size_ = 0;
  Stage stage_ = Stage::kStartLine;
};

// Makes one run of bytes out of the first two slices of `in`, of which the first is an incomplete
// head that may grow up to `limit` bytes; of the second as much as there is room for.
// REQUIRES: at least two slices.
void JoinFront(Buffer& in, size_t limit);

}  // namespace sluice::http1

#endif  // SLUICE_CORE_HTTP_HTTP1_HEAD_READER_H_
