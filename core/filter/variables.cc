#include "core/filter/variables.h"

#include <utility>

#include "core/base/strings.h"
#include "core/filter/variable_operators.h"
#include "core/filter/variable_writer.h"

namespace sluice {
namespace {

using Kind = VariableOperator::Kind;

bool IsNameCharacter(char c) {
  return (c >= '0' && c <= '9') || (LowerAscii(c) >= 'a' && LowerAscii(c) <= 'z') || c == '_' ||
         c == '-';
}

tl::unexpected<Error> NotClosed(std::string_view rest) {
  return Fail(
      Code::kInvalidArgument,
      StrCat({"\"", rest.substr(0, 32),
              "\": a variable ends with a percent sign; a percent sign alone is written %%"}));
}

// The digits behind a colon at `at`, which moves behind them.
Result<uint32_t> ParseTruncation(std::string_view text, size_t& at) {
  const size_t begin = ++at;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
  const auto length = ParseDecimal(text.substr(begin, at - begin));
  if (!length || *length == 0 || *length >= UINT32_MAX) {
    return Fail(Code::kInvalidArgument, "a variable's length is written as a number: %path:100%");
  }
  return static_cast<uint32_t>(*length);
}

// Where brackets that begin behind `at` end: at the first ")" that the variable's end follows,
// since time formats hold percent signs.
size_t FindClosing(std::string_view text, size_t at) {
  for (size_t close = text.find(')', at); close != std::string_view::npos;
       close = text.find(')', close + 1)) {
    if (close + 1 < text.size() && (text[close + 1] == '%' || text[close + 1] == ':')) return close;
  }
  return std::string_view::npos;
}

// The variable that begins behind the percent sign before `at`, which moves behind its end.
Result<VariableOperator> ParseVariable(std::string_view text, size_t& at) {
  const size_t begin = at;
  while (at < text.size() && IsNameCharacter(text[at])) ++at;
  const std::string_view name = text.substr(begin, at - begin);
  if (name.empty()) return NotClosed(text.substr(begin - 1));
  std::string_view brackets;
  const bool has_brackets = at < text.size() && text[at] == '(';
  if (has_brackets) {
    const size_t close = FindClosing(text, at + 1);
    if (close == std::string_view::npos) return NotClosed(text.substr(begin - 1));
    brackets = text.substr(at + 1, close - at - 1);
    at = close + 1;
  }
  uint32_t truncate = UINT32_MAX;
  if (at < text.size() && text[at] == ':') {
    const auto length = ParseTruncation(text, at);
    if (!length) return Fail(length.error());
    truncate = *length;
  }
  if (at >= text.size() || text[at] != '%') return NotClosed(text.substr(begin - 1));
  ++at;
  auto op = MakeVariable(name, has_brackets ? &brackets : nullptr);
  if (op) op->truncate = truncate;
  return op;
}

// Writes the value; false and nothing if there is none.
bool WriteOne(const VariableOperator& op, VariableWriter& out, const StreamInfo& info,
              VariableEscape escape) {
  switch (op.kind) {
    case Kind::kLiteral:
      out.Append(op.text);
      return true;
    case Kind::kView: {
      std::string_view value;
      if (!op.view(op, info, value)) return false;
      out.AppendEscaped(value.substr(0, op.truncate), escape);
      return true;
    }
    case Kind::kNumber: {
      uint64_t number = 0;
      if (!op.number(op, info, number)) return false;
      const size_t begin = out.size();
      out.AppendNumber(number);
      if (out.size() - begin > op.truncate) out.Truncate(begin + op.truncate);
      return true;
    }
    case Kind::kText: {
      char* const room = out.Room(VariableOperator::kMaxText);
      char* const end = op.write(op, info, room);
      if (end == nullptr) return false;
      const size_t size = static_cast<size_t>(end - room);
      out.CommitTo(size > op.truncate ? room + op.truncate : end);
      return true;
    }
  }
  return false;
}

VariableWriter& Scratch() {
  thread_local VariableWriter scratch;
  scratch.Clear();
  return scratch;
}

}  // namespace

VariableText::VariableText() = default;
VariableText::VariableText(VariableText&&) noexcept = default;
VariableText& VariableText::operator=(VariableText&&) noexcept = default;
VariableText::~VariableText() = default;

Result<VariableText> VariableText::Compile(std::string_view text) {
  return Compile(text, VariableEscape::kNone);
}

Result<VariableText> VariableText::Compile(std::string_view text, VariableEscape literals) {
  VariableText compiled;
  std::string literal;
  const auto end_literal = [&] {
    if (literal.empty()) return;
    VariableWriter escaped;
    escaped.AppendEscaped(literal, literals);
    literal.clear();
    VariableOperator op;
    op.text = escaped.view();
    compiled.operators_.push_back(std::move(op));
  };
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '%') {
      literal += text[at++];
      continue;
    }
    ++at;
    if (at < text.size() && text[at] == '%') {
      literal += text[at++];
      continue;
    }
    auto op = ParseVariable(text, at);
    if (!op) return Fail(std::move(op).error());
    end_literal();
    compiled.operators_.push_back(std::move(*op));
  }
  end_literal();
  compiled.operators_.shrink_to_fit();
  return compiled;
}

void VariableText::WriteTo(VariableWriter& out, const StreamInfo& info, VariableEscape escape,
                           std::string_view missing) const {
  for (const VariableOperator& op : operators_) {
    if (!WriteOne(op, out, info, escape)) out.Append(missing);
  }
}

bool VariableText::WriteValue(VariableWriter& out, const StreamInfo& info,
                              VariableEscape escape) const {
  return WriteOne(operators_.front(), out, info, escape);
}

void VariableText::AppendTo(std::string& out, const StreamInfo& info,
                            std::string_view missing) const {
  VariableWriter& scratch = Scratch();
  WriteTo(scratch, info, VariableEscape::kNone, missing);
  out += scratch.view();
}

std::string_view VariableText::Render(const StreamInfo& info, Arena& arena,
                                      std::string_view missing) const {
  if (is_constant()) return constant();
  if (operators_.size() == 1 && operators_.front().kind == Kind::kView) {
    const VariableOperator& op = operators_.front();
    std::string_view value;
    return op.view(op, info, value) ? value.substr(0, op.truncate) : missing;
  }
  VariableWriter& scratch = Scratch();
  WriteTo(scratch, info, VariableEscape::kNone, missing);
  return arena.Copy(scratch.view());
}

bool VariableText::is_constant() const {
  return operators_.empty() || (operators_.size() == 1 && operators_[0].kind == Kind::kLiteral);
}

std::string_view VariableText::constant() const {
  return operators_.empty() ? std::string_view() : std::string_view(operators_[0].text);
}

bool VariableText::is_single() const {
  return operators_.size() == 1 && operators_[0].kind != Kind::kLiteral;
}

VariableType VariableText::type() const {
  return is_single() ? operators_[0].type() : VariableType::kText;
}

bool VariableText::HasValue(const StreamInfo& info) const {
  return WriteOne(operators_.front(), Scratch(), info, VariableEscape::kNone);
}

}  // namespace sluice
