#include "core/http/http1/body_writer.h"

#include <charconv>

#include "core/http/http1/head_writer.h"

namespace sluice::http1 {

void BodyWriter::Write(Buffer& data, Buffer& out) {
  if (data.empty()) return;
  switch (mode_) {
    case Mode::kNone:
      broken_ = true;
      data.Clear();
      break;
    case Mode::kDropped:
      data.Clear();
      break;
    case Mode::kLength:
      if (data.size() > left_) {
        broken_ = true;
        mode_ = Mode::kDropped;
        data.Clear();
      } else {
        left_ -= data.size();
        out.Append(std::move(data));
      }
      break;
    case Mode::kChunked: {
      // The CRLF behind the data and the next chunk's size end up in one run of the same block.
      char line[18];
      char* end = std::to_chars(line, line + 16, data.size(), 16).ptr;
      *end++ = '\r';
      *end++ = '\n';
      out.Append(std::string_view(line, static_cast<size_t>(end - line)));
      out.Append(std::move(data));
      out.Append("\r\n");
      break;
    }
    case Mode::kRaw:
      out.Append(std::move(data));
      break;
  }
}

void BodyWriter::End(const Headers* trailers, Buffer& out) {
  if (mode_ == Mode::kLength && left_ > 0) broken_ = true;
  if (mode_ == Mode::kChunked) {
    if (trailers == nullptr || trailers->empty()) {
      out.Append("0\r\n\r\n");
    } else {
      HeadWriter writer(out, trailers, 3);
      writer.Put("0\r\n");
      writer.PutFields(*trailers, {}, {});
      writer.Finish();
    }
  }
  mode_ = Mode::kNone;
  left_ = 0;
}

}  // namespace sluice::http1
