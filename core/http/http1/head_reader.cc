#include "core/http/http1/head_reader.h"

#include <algorithm>
#include <cstring>

#include "core/base/check.h"
#include "core/http/http1/field_line.h"
#include "core/http/http1/grammar.h"

static_assert(LLHTTP_STRICT_MODE, "the default of llhttp is its loose parser");

namespace sluice::http1 {
namespace {

// llhttp calls nothing back while it reads a start line: the line's shape is checked as a whole.
constexpr llhttp_settings_t kNoCallbacks{};

constexpr std::string_view kVersion11 = " HTTP/1.1\r\n";
constexpr size_t kVersionSize = kVersion11.size();
constexpr uint32_t kMaxMethod = 64;

bool IsMethodChar(char c) { return (c >= 'A' && c <= 'Z') || IsDigit(c) || c == '-' || c == '_'; }

// HTTP/d.d at the end of `text`?
bool EndsInVersion(std::string_view text) {
  if (text.size() < 8) return false;
  text.remove_prefix(text.size() - 8);
  return text.substr(0, 5) == "HTTP/" && IsDigit(text[5]) && text[6] == '.' && IsDigit(text[7]);
}

}  // namespace

HeadReader::HeadReader(llhttp_type_t type, const CodecLimits& limits) : limits_(limits) {
  llhttp_init(&parser_, type, &kNoCallbacks);
}

void HeadReader::Begin(Headers& headers) {
  llhttp_init(&parser_, static_cast<llhttp_type_t>(parser_.type), &kNoCallbacks);
  headers_ = &headers;
  base_ = nullptr;
  line_ = seen_ = word_size_ = target_size_ = start_line_size_ = 0;
  stage_ = Stage::kStartLine;
}

bool HeadReader::Read(Buffer& in, const Fault*& fault) {
  for (;;) {
    const Slice& front = in.front();
    if (front.data() != base_) Rebase(front.data());
    const size_t size = std::min<size_t>(front.size(), limits_.head_size);
    const char* end = base_ + size;
    if (stage_ != Stage::kFields && !ReadStartLine(end, fault)) {
      if (fault != nullptr) return false;
    } else if (ReadFields(end, fault)) {
      return true;
    } else if (fault != nullptr) {
      return false;
    }
    if (size == limits_.head_size) {
      fault = &kHeadTooLarge;
      return false;
    }
    if (in.slice_count() < 2) return false;
    JoinFront(in, limits_.head_size);
  }
}

// The bytes are the same, elsewhere.
void HeadReader::Rebase(const char* base) {
  if (base_ != nullptr && line_ > 0) {
    Headers::Entry* entries = headers_->raw_entries();
    for (uint32_t i = 0; i < headers_->raw_count(); ++i) {
      Headers::Entry& entry = entries[i];
      entry.name = {base + (entry.name.data() - base_), entry.name.size()};
      entry.value = {base + (entry.value.data() - base_), entry.value.size()};
    }
  }
  base_ = base;
}

bool HeadReader::ReadStartLine(const char* end, const Fault*& fault) {
  if (stage_ == Stage::kBadMethod) {
    fault = BadMethod(end);
    return false;
  }
  const char* from = base_ + seen_;
  const void* lf = std::memchr(from, '\n', static_cast<size_t>(end - from));
  const char* to = lf == nullptr ? end : static_cast<const char*>(lf) + 1;
  const int error = llhttp_execute(&parser_, from, static_cast<size_t>(to - from));
  seen_ = static_cast<uint32_t>(to - base_);
  if (error != HPE_OK) {
    fault = StartLineFault(error, end);
    return false;
  }
  if (lf == nullptr) {
    if (TargetTooLong(end)) fault = &kTargetTooLong;
    return false;
  }
  const std::string_view line(base_, seen_);
  fault = parser_.type == HTTP_REQUEST ? CheckRequestLine(line) : CheckStatusLine(line);
  if (fault != nullptr) return false;
  line_ = start_line_size_ = seen_;
  stage_ = Stage::kFields;
  return true;
}

// METHOD SP target SP HTTP/1.x CRLF and nothing else: llhttp takes more spaces, HTTP/0.9, RTSP,
// ICE.
const Fault* HeadReader::CheckRequestLine(std::string_view line) {
  if (TargetTooLong(line.data() + line.size())) return &kTargetTooLong;
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || line.size() < space + 2 + kVersionSize) {
    return &kCodecError;
  }
  const std::string_view version = line.substr(line.size() - kVersionSize);
  const std::string_view target = line.substr(space + 1, line.size() - kVersionSize - space - 1);
  if (version.substr(0, 6) != kVersion11.substr(0, 6) || version[7] != '.' ||
      version.substr(9) != "\r\n" || target.front() == ' ' || target.back() == ' ') {
    return &kCodecError;
  }
  if (parser_.method >= HTTP_SOURCE) {  // of ICE and RTSP; or HTTP/2's preface
    return parser_.method == HTTP_PRI ? &kUnsupportedVersion : &kUnknownMethod;
  }
  if (parser_.http_major == 0) return &kCodecError;
  if (parser_.http_major != 1) return &kUnsupportedVersion;
  if (parser_.http_minor == 0 && !limits_.http10) return &kLowVersion;
  word_size_ = static_cast<uint32_t>(space);
  target_size_ = static_cast<uint32_t>(target.size());
  return nullptr;
}

// HTTP/1.x SP 3DIGIT [SP reason] CRLF
const Fault* HeadReader::CheckStatusLine(std::string_view line) {
  if (line.size() < 14 || line.substr(0, 7) != kVersion11.substr(1, 7) || line[8] != ' ' ||
      line.substr(line.size() - 2) != "\r\n") {
    return &kCodecError;
  }
  for (size_t i = 9; i < 12; ++i) {
    if (!IsDigit(line[i])) return &kCodecError;
  }
  if (line[9] == '0' || (line[12] != ' ' && line[12] != '\r')) return &kCodecError;
  if (!IsFieldValue(line.substr(12, line.size() - 14))) return &kInvalidCharacters;
  return nullptr;
}

std::string_view HeadReader::reason() const {
  return start_line_size_ <= 15 ? std::string_view()
                                : std::string_view(base_ + 13, start_line_size_ - 15);
}

const Fault* HeadReader::StartLineFault(int error, const char* end) {
  const char* at = parser_.error_pos;
  if (error == HPE_INVALID_METHOD) {
    stage_ = Stage::kBadMethod;
    return BadMethod(end);
  }
  if (at != nullptr && TargetTooLong(at)) return &kTargetTooLong;
  if (error == HPE_INVALID_CONSTANT && parser_.method >= HTTP_SOURCE) return &kUnknownMethod;
  if (error == HPE_INVALID_URL) return &kInvalidUrl;
  const bool known = parser_.http_major == 1 && parser_.http_minor <= 1;
  if (error == HPE_INVALID_VERSION && !known && at != nullptr &&
      (EndsInVersion({base_, static_cast<size_t>(at - base_)}) ||
       EndsInVersion({base_, static_cast<size_t>(at - base_) + 1}))) {
    return &kUnsupportedVersion;
  }
  return &kCodecError;
}

// llhttp gives up at the first byte that is in none of its methods. A whole word in capitals is a
// method that we do not know; anything else is not HTTP.
const Fault* HeadReader::BadMethod(const char* end) const {
  const char* at = base_;
  while (at < end && IsMethodChar(*at) && at - base_ <= kMaxMethod) ++at;
  if (at == end) return nullptr;
  return at > base_ && *at == ' ' ? &kUnknownMethod : &kCodecError;
}

bool HeadReader::TargetTooLong(const char* end) const {
  if (parser_.type != HTTP_REQUEST || end - base_ <= limits_.target_size) return false;
  const void* space =
      std::memchr(base_, ' ', std::min<size_t>(kMaxMethod, static_cast<size_t>(end - base_)));
  if (space == nullptr) return false;
  const char* target = static_cast<const char*>(space) + 1;
  if (end - target <= static_cast<ptrdiff_t>(limits_.target_size)) return false;
  return std::memchr(target, ' ', limits_.target_size + size_t{1}) == nullptr;
}

bool HeadReader::ReadFields(const char* end, const Fault*& fault) {
  if (seen_ > line_) {  // the line was incomplete when it was last looked at
    const char* from = base_ + seen_;
    if (std::memchr(from, '\n', static_cast<size_t>(end - from)) == nullptr) {
      seen_ = static_cast<uint32_t>(end - base_);
      return false;
    }
  }
  const char* at = base_ + line_;
  for (;;) {
    const FieldLine line = ReadFieldLine(at, end);
    if (line.kind != FieldLine::Kind::kField) [[unlikely]] {
      line_ = static_cast<uint32_t>(at - base_);
      seen_ = static_cast<uint32_t>(end - base_);
      if (line.kind == FieldLine::Kind::kFault) fault = line.fault;
      if (line.kind != FieldLine::Kind::kEmpty) return false;
      line_ = static_cast<uint32_t>(line.next - base_);
      return true;
    }
    if (headers_->raw_count() >= limits_.header_count) {
      fault = &kTooManyHeaders;
      return false;
    }
    headers_->AddView(line.name, line.value, FindHeaderId(line.name));
    at = line.next;
  }
}

void JoinFront(Buffer& in, size_t limit) {
  Slice head = in.PopFront();
  Slice next = in.PopFront();
  if (head.tail_room() == 0) {
    // Half a small block does for most heads; a larger one gets room for whatever is allowed.
    const size_t capacity = head.size() < Block::kSmall / 2 ? Block::kSmall : limit + 1;
    Block* block = Block::New(static_cast<uint32_t>(std::max(capacity, head.size() + 1)));
    std::memcpy(block->data(), head.data(), head.size());
    block->set_used(static_cast<uint32_t>(head.size()));
    head = Slice(block, 0, static_cast<uint32_t>(head.size()));
  }
  const size_t n = std::min(next.size(), head.tail_room());
  std::memcpy(head.data() + head.size(), next.data(), n);
  head.Grow(n);
  next.RemovePrefix(n);
  in.Prepend(std::move(next));
  in.Prepend(std::move(head));
}

}  // namespace sluice::http1
