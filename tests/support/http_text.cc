#include "tests/support/http_text.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "core/base/strings.h"

namespace sluice::test {
namespace {

using State = HttpTextResult::State;

// Takes pieces off the front of the bytes; remembers why it stopped.
class Reader {
 public:
  Reader(std::string_view bytes, bool ended) : rest_(bytes), ended_(ended) {}

  // A line without its CRLF.
  bool Line(std::string& line) {
    const size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return Need("a line");
    if (end == 0 || rest_[end - 1] != '\r') return Break("a line ends without CR");
    line = rest_.substr(0, end - 1);
    rest_.remove_prefix(end + 1);
    return true;
  }
  // Fields up to and with the empty line.
  bool Fields(HttpText::Fields& fields) {
    for (std::string line; Line(line);) {
      if (line.empty()) return true;
      const size_t colon = line.find(':');
      if (colon == std::string::npos || colon == 0 || line[0] == ' ' || line[0] == '\t' ||
          line[colon - 1] == ' ') {
        return Break("not a field: " + line);
      }
      fields.emplace_back(line.substr(0, colon),
                          TrimBlanks(std::string_view(line).substr(colon + 1)));
    }
    return false;
  }
  bool Bytes(uint64_t size, std::string& out) {
    if (rest_.size() < size) return Need("a body");
    out += rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }
  bool Chunks(HttpText& message) {
    for (std::string line; Line(line);) {
      uint64_t size = 0;
      const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
      if (line.empty() || error != std::errc() || end != line.data() + line.size()) {
        return Break("not a chunk's size: " + line);
      }
      if (size == 0) return Fields(message.trailers);
      std::string behind;
      if (!Bytes(size, message.body) || !Line(behind)) return false;
      if (!behind.empty()) return Break("a chunk is longer than its size");
    }
    return false;
  }
  bool ToEnd(std::string& out) {
    if (!ended_) return Need("the close");
    out = rest_;
    rest_ = {};
    return true;
  }

  bool Break(std::string why) {
    state_ = State::kBroken;
    why_ = std::move(why);
    return false;
  }
  bool empty() const { return rest_.empty(); }
  size_t left() const { return rest_.size(); }
  State state() const { return state_; }
  const std::string& why() const { return why_; }

 private:
  bool Need(std::string_view what) {
    if (ended_) return Break(StrCat({"ended before ", what, " was complete"}));
    state_ = State::kIncomplete;
    return false;
  }

  std::string_view rest_;
  bool ended_;
  State state_ = State::kComplete;
  std::string why_;
};

bool ReadStartLine(Reader& reader, HttpTextKind kind, HttpText& message) {
  if (!reader.Line(message.start_line)) return false;
  const std::string& line = message.start_line;
  if (kind == HttpTextKind::kRequest) {
    const size_t first = line.find(' ');
    const size_t last = line.rfind(' ');
    if (first == std::string::npos || first == last || !line.substr(last).starts_with(" HTTP/1.")) {
      return reader.Break("not a request line: " + line);
    }
    return true;
  }
  const std::optional<uint64_t> status =
      line.size() >= 13 && line.starts_with("HTTP/1.") && line[8] == ' ' && line[12] == ' '
          ? ParseDecimal(std::string_view(line).substr(9, 3))
          : std::nullopt;
  if (!status) return reader.Break("not a status line: " + line);
  message.status = static_cast<int>(*status);
  return true;
}

bool HasNoBody(HttpTextKind kind, int status) {
  if (kind == HttpTextKind::kRequest) return false;
  return kind == HttpTextKind::kResponseToHead || status < 200 || status == 204 || status == 304 ||
         (kind == HttpTextKind::kResponseToConnect && status < 300);
}

bool ReadBody(Reader& reader, HttpTextKind kind, HttpText& message) {
  if (HasNoBody(kind, message.status)) return true;
  const std::optional<std::string> coding = message.Header("transfer-encoding");
  const std::optional<std::string> length = message.Header("content-length");
  if (coding && length) return reader.Break("has both Transfer-Encoding and Content-Length");
  if (coding) {
    if (*coding != "chunked") return reader.Break("Transfer-Encoding: " + *coding);
    return reader.Chunks(message);
  }
  if (length) {
    const std::optional<uint64_t> size = ParseDecimal(*length);
    if (!size) return reader.Break("Content-Length: " + *length);
    return reader.Bytes(*size, message.body);
  }
  if (kind == HttpTextKind::kRequest) return true;
  message.until_close = true;
  return reader.ToEnd(message.body);
}

}  // namespace

std::optional<std::string> HttpText::Header(std::string_view name) const {
  std::optional<std::string> found;
  for (const auto& [field, value] : headers) {
    if (!EqualsIgnoreCase(field, name)) continue;
    found = found ? StrCat({*found, ", ", value}) : value;
  }
  return found;
}

HttpTextResult TakeHttpText(std::string_view bytes, HttpTextKind kind, bool ended) {
  HttpTextResult result;
  Reader reader(bytes, ended);
  HttpText& message = result.message;
  if (ReadStartLine(reader, kind, message) && reader.Fields(message.headers) &&
      ReadBody(reader, kind, message)) {
    message.size = bytes.size() - reader.left();
  }
  result.state = reader.state();
  result.why = reader.why();
  return result;
}

}  // namespace sluice::test
