#include "core/filter/variable_writer.h"

#include <algorithm>
#include <charconv>

namespace sluice {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr size_t kWord = sizeof(uint64_t);

constexpr uint64_t Repeat(uint8_t byte) { return 0x0101010101010101U * byte; }

// A byte that is zero in `word` gives its top bit; bytes above such a one may give it too.
constexpr uint64_t ZeroBytes(uint64_t word) { return (word - Repeat(1)) & ~word & Repeat(0x80); }

// False only if every byte is printable ASCII other than the quote and the backslash.
bool MayNeedEscape(uint64_t word) {
  return ((word & Repeat(0x80)) | ((word - Repeat(0x20)) & ~word & Repeat(0x80)) |
          ZeroBytes(word ^ Repeat('"')) | ZeroBytes(word ^ Repeat('\\')) |
          ZeroBytes(word ^ Repeat(0x7f))) != 0;
}

bool IsPlain(unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

// How many bytes the UTF-8 sequence at the start of `text` has; 0 if it is none (Unicode 15, table
// 3-7).
size_t SequenceLength(std::string_view text) {
  const auto at = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : uint8_t{0};
  };
  const auto continues = [&](size_t i) { return (at(i) & 0xc0) == 0x80; };
  const unsigned char first = at(0);
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned char low = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned char high = first == 0xed ? 0x9f : 0xbf;
    return at(1) >= low && at(1) <= high && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned char low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = first == 0xf4 ? 0x8f : 0xbf;
    return at(1) >= low && at(1) <= high && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

void VariableWriter::Grow(size_t size) {
  const size_t capacity = std::max({size_t{1024}, capacity_ * 2, size_ + size});
  std::unique_ptr<char[]> bigger(new char[capacity]);
  if (size_ > 0) std::memcpy(bigger.get(), data_.get(), size_);
  data_ = std::move(bigger);
  capacity_ = capacity;
}

void VariableWriter::AppendNumber(uint64_t number) {
  constexpr size_t kDigits = 20;
  char* room = Room(kDigits);
  CommitTo(std::to_chars(room, room + kDigits, number).ptr);
}

void VariableWriter::AppendEscaped(std::string_view text, VariableEscape escape) {
  if (escape == VariableEscape::kNone) return Append(text);
  // What needs no escape is copied word by word while it is looked at.
  char* out = Room(text.size() + kWord);
  const char* in = text.data();
  size_t left = text.size();
  while (left >= kWord) {
    uint64_t word;
    std::memcpy(&word, in, kWord);
    if (MayNeedEscape(word)) break;
    std::memcpy(out, &word, kWord);
    in += kWord;
    out += kWord;
    left -= kWord;
  }
  while (left > 0 && IsPlain(static_cast<unsigned char>(*in))) {
    *out++ = *in++;
    --left;
  }
  CommitTo(out);
  if (left == 0) return;
  if (escape == VariableEscape::kJson) return AppendJson({in, left});
  AppendVisible({in, left});
}

void VariableWriter::AppendJson(std::string_view text) {
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    size_t used = 1;
    if (IsPlain(c)) {
      while (used < text.size() && IsPlain(static_cast<unsigned char>(text[used]))) ++used;
      Append(text.substr(0, used));
    } else if (c >= 0x80) {
      const size_t length = SequenceLength(text);
      used = length == 0 ? 1 : length;
      Append(length == 0 ? kReplacement : text.substr(0, length));
    } else if (c == '"' || c == '\\') {
      Append('\\');
      Append(static_cast<char>(c));
    } else if (c == '\n') {
      Append("\\n");
    } else if (c == '\r') {
      Append("\\r");
    } else if (c == '\t') {
      Append("\\t");
    } else {
      Append("\\u00");
      Append(kHex[c >> 4]);
      Append(kHex[c & 15]);
    }
    text.remove_prefix(used);
  }
}

void VariableWriter::AppendVisible(std::string_view text) {
  for (const char byte : text) {
    const auto c = static_cast<unsigned char>(byte);
    if (IsPlain(c)) {
      Append(byte);
    } else {
      Append("\\x");
      Append(kHex[c >> 4]);
      Append(kHex[c & 15]);
    }
  }
}

}  // namespace sluice
