#include "core/filter/variable_brackets.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/strings.h"
#include "core/config/text.h"

namespace sluice {
namespace {

using Op = VariableOperator;
using Info = StreamInfo;
using View = std::string_view;

tl::unexpected<Error> Bad(std::string detail) {
  return Fail(Code::kInvalidArgument, std::move(detail));
}

bool IsToken(View text) {
  constexpr View kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (LowerAscii(c) >= 'a' && LowerAscii(c) <= 'z') ||
           kMarks.find(c) != View::npos;
  });
}

Result<void> ParseTimeIn(View brackets, TimeFormat::Zone zone, Op& op) {
  auto format = TimeFormat::Compile(brackets, zone);
  if (!format) return Fail(std::move(format).error());
  op.time = std::make_unique<const TimeFormat>(std::move(*format));
  return {};
}

struct TimePoint {
  View name;
  Op::TimeMember member;
};
constexpr TimePoint kTimePoints[] = {
    {"start", &Info::start},
    {"request_end", &Info::request_end},
    {"pool_ready", &Info::pool_ready},
    {"upstream_start", &Info::upstream_start},
    {"upstream_end", &Info::upstream_end},
    {"response_start", &Info::response_start},
    {"response_end", &Info::response_end},
    {"end", &Info::end},
};

Result<Op::TimeMember> FindTimePoint(View name) {
  std::vector<std::string> names;
  for (const TimePoint& point : kTimePoints) {
    if (point.name == name) return point.member;
    names.emplace_back(point.name);
  }
  return Bad(StrCat({"no time point ", Quoted(name), DidYouMean(name, names), ": there are ",
                     JoinAlternatives(names)}));
}

}  // namespace

Result<void> ParseField(View brackets, Op& op) {
  const size_t mark = brackets.find('?');
  const View name = brackets.substr(0, mark);
  const View other = mark == View::npos ? View() : brackets.substr(mark + 1);
  if (!IsToken(name) || (mark != View::npos && !IsToken(other))) {
    return Bad("expected a header field's name, or two as x?y");
  }
  op.text = LowerAscii(name);
  op.other = LowerAscii(other);
  op.header = FindHeaderId(op.text);
  op.fallback = FindHeaderId(op.other);
  return {};
}

Result<void> ParseName(View brackets, Op& op) {
  if (brackets.empty()) return Bad("expected a name in the brackets");
  op.text = brackets;
  return {};
}

Result<void> ParseEnvironment(View brackets, Op& op) {
  SLUICE_TRY(ParseName(brackets, op));
  const char* value = std::getenv(op.text.c_str());
  op.text = value == nullptr ? "" : value;
  return {};
}

Result<void> ParseMetadata(View brackets, Op& op) {
  const size_t colon = brackets.find(':');
  if (colon == View::npos || colon == 0 || colon + 1 == brackets.size()) {
    return Bad("expected space:key");
  }
  op.text = brackets.substr(0, colon);
  op.other = brackets.substr(colon + 1);
  return {};
}

Result<void> ParseUtc(View brackets, Op& op) {
  return ParseTimeIn(brackets, TimeFormat::Zone::kUtc, op);
}
Result<void> ParseLocal(View brackets, Op& op) {
  return ParseTimeIn(brackets, TimeFormat::Zone::kLocal, op);
}

Result<void> ParseSpan(View brackets, Op& op) {
  const size_t first = brackets.find(':');
  const size_t second = first == View::npos ? first : brackets.find(':', first + 1);
  if (second == View::npos) return Bad("expected from:to:unit, such as start:end:us");
  const auto from = FindTimePoint(brackets.substr(0, first));
  if (!from) return Fail(from.error());
  const auto to = FindTimePoint(brackets.substr(first + 1, second - first - 1));
  if (!to) return Fail(to.error());
  op.from = *from;
  op.to = *to;
  const View unit = brackets.substr(second + 1);
  op.unit = unit == "ns"   ? 1
            : unit == "us" ? kMicrosecond
            : unit == "ms" ? kMillisecond
            : unit == "s"  ? kSecond
                           : 0;
  if (op.unit == 0) return Bad(StrCat({"no unit ", Quoted(unit), ": there are ns, us, ms and s"}));
  return {};
}

}  // namespace sluice
