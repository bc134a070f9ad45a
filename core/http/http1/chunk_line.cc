#include "core/http/http1/chunk_line.h"

#include "core/http/http1/grammar.h"

namespace sluice::http1 {
namespace {

constexpr int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

ChunkLine::Result ChunkLine::Read(const char*& at, const char* end) {
  while (at < end) {
    state_ = Next(*at++);
    if (state_ == State::kDone) return Result::kDone;
    if (state_ == State::kFault || extension_ > kMaxExtension) return Result::kFault;
  }
  return Result::kMore;
}

// Behind the size, an extension's name or its value.
ChunkLine::State ChunkLine::BehindElement(char c) {
  if (c == ';') return State::kBeforeName;
  if (c == '\r') return State::kLf;
  return IsBlank(c) ? State::kBeforeSemicolon : State::kFault;
}

ChunkLine::State ChunkLine::AddDigit(uint32_t digit) {
  if (++digits_ > kMaxDigits || size_ >> 59 != 0) return State::kFault;  // it stays below 2^63
  size_ = size_ << 4 | digit;
  return State::kSize;
}

ChunkLine::State ChunkLine::Next(char c) {
  if (state_ == State::kSize) {
    const int digit = HexDigit(c);
    if (digit >= 0) return AddDigit(static_cast<uint32_t>(digit));
    return digits_ == 0 ? State::kFault : BehindElement(c);
  }
  ++extension_;
  switch (state_) {
    case State::kDataCr:
      return c == '\r' ? State::kDataLf : State::kFault;
    case State::kDataLf:
      return c == '\n' ? State::kSize : State::kFault;
    case State::kBeforeSemicolon:
      if (IsBlank(c)) return state_;
      return c == ';' ? State::kBeforeName : State::kFault;
    case State::kBeforeName:
      if (IsBlank(c)) return state_;
      return IsTokenChar(c) ? State::kName : State::kFault;
    case State::kName:
      if (IsTokenChar(c)) return state_;
      if (c == '=') return State::kBeforeValue;
      return IsBlank(c) ? State::kBehindName : BehindElement(c);
    case State::kBehindName:
      if (IsBlank(c)) return state_;
      if (c == '=') return State::kBeforeValue;
      return c == ';' ? State::kBeforeName : State::kFault;
    case State::kBeforeValue:
      if (IsBlank(c)) return state_;
      if (c == '"') return State::kQuoted;
      return IsTokenChar(c) ? State::kToken : State::kFault;
    case State::kToken:
      return IsTokenChar(c) ? state_ : BehindElement(c);
    case State::kQuoted:
      if (c == '"') return State::kBehindQuoted;
      if (c == '\\') return State::kEscaped;
      return IsControl(c) ? State::kFault : state_;
    case State::kEscaped:
      return IsControl(c) ? State::kFault : State::kQuoted;
    case State::kBehindQuoted:
      return BehindElement(c);
    case State::kLf:
      return c == '\n' ? State::kDone : State::kFault;
    default:
      return State::kFault;
  }
}

}  // namespace sluice::http1
