// One field line of a head or of a trailer section. Stricter than llhttp, which lets folded lines
// and empty names pass, and several times as fast: llhttp is not fed the fields at all.
#ifndef SLUICE_CORE_HTTP_HTTP1_FIELD_LINE_H_
#define SLUICE_CORE_HTTP_HTTP1_FIELD_LINE_H_

#include <cstring>
#include <string_view>

#include "core/http/http1/fault.h"
#include "core/http/http1/grammar.h"

namespace sluice::http1 {

struct FieldLine {
  enum class Kind : uint8_t { kField, kEmpty, kIncomplete, kFault };

  Kind kind;
  const Fault* fault;  // of kFault
  const char* next;    // behind the line, for kField and kEmpty
  std::string_view name;
  std::string_view value;  // without blanks around it
};

// A line is judged when its LF is there, so that the verdict does not depend on how the bytes came.
[[gnu::noinline]] inline FieldLine Unfit(const char* begin, const char* end, const Fault& fault) {
  const bool whole = std::memchr(begin, '\n', static_cast<size_t>(end - begin)) != nullptr;
  return {whole ? FieldLine::Kind::kFault : FieldLine::Kind::kIncomplete, &fault, nullptr, {}, {}};
}

// Reads the line that begins at `begin`, of which [begin, end) has come.
[[gnu::always_inline]] inline FieldLine ReadFieldLine(const char* begin, const char* end) {
  using Kind = FieldLine::Kind;
  const char* at = begin;
  while (at < end && IsTokenChar(*at)) ++at;
  if (end - at < 2) return Unfit(begin, end, kCodecError);
  if (at == begin || *at != ':') [[unlikely]] {
    if (at == begin && at[0] == '\r' && at[1] == '\n') {
      return {Kind::kEmpty, nullptr, at + 2, {}, {}};
    }
    return Unfit(begin, end,
                 *at == '\n' || *at == '\r' || IsBlank(*at) || *at == ':' ? kCodecError
                                                                          : kInvalidCharacters);
  }
  const std::string_view name(begin, static_cast<size_t>(at - begin));
  ++at;
  while (at < end && IsBlank(*at)) ++at;
  const char* value = at;
  at = FindControl(at, end);
  if (end - at < 2) return Unfit(begin, end, kCodecError);
  if (at[0] != '\r' || at[1] != '\n') [[unlikely]] {
    return Unfit(begin, end, at[0] == '\r' || at[0] == '\n' ? kCodecError : kInvalidCharacters);
  }
  const char* last = at;
  while (last > value && IsBlank(last[-1])) --last;
  return {Kind::kField, nullptr, at + 2, name,
          std::string_view(value, static_cast<size_t>(last - value))};
}

}  // namespace sluice::http1

#endif  // SLUICE_CORE_HTTP_HTTP1_FIELD_LINE_H_
