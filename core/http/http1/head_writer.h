// Writes heads: the start line, the fields in one run where they still stand as they came, and what
// the codec adds. Fields that are the codec's own (connection, transfer-encoding, ...) are left
// out, whoever put them there, and so is a field that would break the message apart.
#ifndef SLUICE_CORE_HTTP_HTTP1_HEAD_WRITER_H_
#define SLUICE_CORE_HTTP_HTTP1_HEAD_WRITER_H_

#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/base/buffer.h"
#include "core/http/headers.h"

namespace sluice::http1 {

class HeadWriter {
 public:
  struct Keep {
    bool content_length = false;  // the fields' own content-length is right
    bool upgrade = false;
  };

  // A place for the head in `out`, large enough for `fixed` bytes besides the fields.
  HeadWriter(Buffer& out, const Headers* headers, size_t fixed);
  HeadWriter(const HeadWriter&) = delete;
  HeadWriter& operator=(const HeadWriter&) = delete;

  void Put(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  template <size_t size>
  void Put(const char (&text)[size]) {
    std::memcpy(at_, text, size - 1);
    at_ += size - 1;
  }
  void PutDecimal(uint64_t value);
  // The fields. `parsed` is the head as it was read: what points into it is known to be clean.
  void PutFields(const Headers& headers, std::string_view parsed, Keep keep);
  // The empty line; the head is in the buffer now.
  void Finish() {
    Put("\r\n");
    out_.Commit(static_cast<size_t>(at_ - begin_));
  }

 private:
  Buffer& out_;
  char* begin_;
  char* at_;
};

}  // namespace sluice::http1

#endif  // SLUICE_CORE_HTTP_HTTP1_HEAD_WRITER_H_
