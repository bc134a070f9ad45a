#include "core/config/route_conditions.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/route.pb.h"
#include "core/config/route_regex.h"
#include "core/config/route_values.h"

namespace sluice {
namespace {

// All of `text`, a sign included.
std::optional<int64_t> ParseWhole(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

template <typename Messages>
Result<std::vector<RouteValueTest>> CompileTests(std::string_view field, const Messages& messages) {
  std::vector<RouteValueTest> tests;
  for (const config::ValueMatch& message : messages) {
    auto test = RouteValueTest::Compile(message);
    if (!test) {
      Error error = std::move(test).error();
      error.detail =
          StrCat({field, "[", Decimal(static_cast<uint64_t>(tests.size())), "].", error.detail});
      return Fail(std::move(error));
    }
    tests.push_back(std::move(*test));
  }
  return tests;
}

// Do all tests hold? `find` gives the value of a name.
template <typename Find>
bool AllHold(const std::vector<RouteValueTest>& tests, Find find) {
  return std::all_of(tests.begin(), tests.end(), [&](const RouteValueTest& test) {
    return test.Holds(find(std::string_view(test.name())));
  });
}

}  // namespace

RouteValueTest::RouteValueTest() = default;
RouteValueTest::RouteValueTest(RouteValueTest&&) noexcept = default;
RouteValueTest::~RouteValueTest() = default;

Result<RouteValueTest> RouteValueTest::Compile(const config::ValueMatch& match) {
  RouteValueTest test;
  test.name_ = match.name();
  test.invert_ = match.invert();
  switch (match.test_case()) {
    case config::ValueMatch::TEST_NOT_SET:
      break;
    case config::ValueMatch::kPresent:
      test.kind_ = match.present() ? Kind::kPresent : Kind::kAbsent;
      break;
    case config::ValueMatch::kExact:
      test.kind_ = Kind::kExact;
      test.text_ = match.exact();
      break;
    case config::ValueMatch::kPrefix:
      test.kind_ = Kind::kPrefix;
      test.text_ = match.prefix();
      break;
    case config::ValueMatch::kSuffix:
      test.kind_ = Kind::kSuffix;
      test.text_ = match.suffix();
      break;
    case config::ValueMatch::kRegex: {
      auto regex = CompileRegex(match.regex());
      if (!regex) return Fail(Code::kInvalidArgument, "regex: " + regex.error().detail);
      test.kind_ = Kind::kRegex;
      test.regex_ = std::move(*regex);
      break;
    }
    case config::ValueMatch::kRange:
      test.kind_ = Kind::kRange;
      test.start_ = match.range().start();
      test.end_ = match.range().end();
      break;
  }
  return test;
}

bool RouteValueTest::Holds(std::optional<std::string_view> value) const {
  const bool fits = kind_ == Kind::kAbsent ? !value : value && Fits(*value);
  return fits != invert_;
}

bool RouteValueTest::Fits(std::string_view value) const {
  switch (kind_) {
    case Kind::kPresent:
      return true;
    case Kind::kAbsent:
      return false;
    case Kind::kExact:
      return value == text_;
    case Kind::kPrefix:
      return value.starts_with(text_);
    case Kind::kSuffix:
      return value.ends_with(text_);
    case Kind::kRegex:
      return FullMatch(*regex_, value);
    case Kind::kRange: {
      const std::optional<int64_t> number = ParseWhole(value);
      return number && *number >= start_ && *number < end_;
    }
  }
  return false;
}

RouteFraction CompileFraction(const config::Fraction& fraction, const config::Config& config) {
  if (!fraction.key().empty()) {
    for (const config::RuntimeFraction& runtime : config.runtime()) {
      if (runtime.key() == fraction.key()) return RouteFraction(runtime.percent());
    }
  }
  return RouteFraction(fraction.percent());
}

Result<RouteConditions> RouteConditions::Compile(const config::Match& match,
                                                 const config::Config& config) {
  RouteConditions conditions;
  conditions.methods_.assign(match.methods().begin(), match.methods().end());
  auto headers = CompileTests("headers", match.headers());
  if (!headers) return Fail(std::move(headers).error());
  conditions.headers_ = std::move(*headers);
  auto query = CompileTests("query", match.query());
  if (!query) return Fail(std::move(query).error());
  conditions.query_ = std::move(*query);
  auto cookies = CompileTests("cookies", match.cookies());
  if (!cookies) return Fail(std::move(cookies).error());
  conditions.cookies_ = std::move(*cookies);
  if (match.has_fraction()) conditions.fraction_ = CompileFraction(match.fraction(), config);
  return conditions;
}

bool RouteConditions::none() const {
  return methods_.empty() && headers_.empty() && query_.empty() && cookies_.empty() &&
         fraction_.all();
}

bool RouteConditions::Hold(const RouteInput& input, Random& random) const {
  if (!methods_.empty() &&
      std::find(methods_.begin(), methods_.end(), input.method) == methods_.end()) {
    return false;
  }
  return AllHold(headers_, [&](std::string_view name) { return input.Header(name); }) &&
         AllHold(query_,
                 [&](std::string_view name) { return FindQueryParameter(input.query, name); }) &&
         AllHold(cookies_, [&](std::string_view name) { return FindCookie(input, name); }) &&
         fraction_.Draw(random);
}

}  // namespace sluice
