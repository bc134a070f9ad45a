#include "core/config/route_conditions.h"

#include "core/config/route_test_input.h"

namespace sluice {
namespace {

// "+" holds, "-" does not: for a missing value, then for each of these.
constexpr std::string_view kValues[] = {"", "abc", "ab", "xabc", "-5", "5", "10", "+5", "5x", "05"};

TEST(RouteValueTest, EachTestOnEachValue) {
  const struct {
    std::string test, expected;
  } cases[] = {
      {"", "-++++++++++"},
      {"present: true", "-++++++++++"},
      {"present: false", "+----------"},
      {"exact: 'abc'", "--+--------"},
      {"exact: ''", "-+---------"},
      {"prefix: 'ab'", "--++-------"},
      {"suffix: 'bc'", "--+-+------"},
      {"regex: '[a-c]+'", "--++-------"},
      {"regex: 'b'", "-----------"},
      {"range { start: -5 end: 10 }", "-----++---+"},
      {"range { start: 10 end: 11 }", "-------+---"},
  };
  for (const auto& each : cases) {
    for (const bool invert : {false, true}) {
      const std::string text = "name: 'x' " + each.test + (invert ? " invert: true" : "");
      const auto test = RouteValueTest::Compile(ParseText<config::ValueMatch>(text));
      ASSERT_TRUE(test) << text;
      std::string held(1, test->Holds({}) != invert ? '+' : '-');
      for (const std::string_view value : kValues) held += test->Holds(value) != invert ? '+' : '-';
      EXPECT_EQ(held, each.expected) << text;
    }
  }
}

TEST(RouteValueTest, RangesAre64BitsWide) {
  const auto test = RouteValueTest::Compile(ParseText<config::ValueMatch>(
      "name: 'x' range { start: -9223372036854775808 end: 9223372036854775807 }"));
  ASSERT_TRUE(test);
  EXPECT_TRUE(test->Holds("-9223372036854775808"));
  EXPECT_TRUE(test->Holds("9223372036854775806"));
  EXPECT_FALSE(test->Holds("9223372036854775807"));
  EXPECT_FALSE(test->Holds("99999999999999999999"));
}

Result<RouteConditions> Conditions(const std::string& match, const std::string& config = "") {
  return RouteConditions::Compile(ParseText<config::Match>(match),
                                  ParseText<config::Config>(config));
}

bool Hold(const std::string& match, const TestInput& input) {
  Random random(1);
  const auto conditions = Conditions(match);
  EXPECT_TRUE(conditions) << match;
  return conditions->Hold(input, random);
}

TEST(RouteConditions, Methods) {
  EXPECT_TRUE(Hold("", TestInput("/").Method("PURGE")));
  EXPECT_TRUE(Hold("methods: 'GET' methods: 'PUT'", TestInput("/").Method("PUT")));
  EXPECT_FALSE(Hold("methods: 'GET'", TestInput("/").Method("HEAD")));
  EXPECT_FALSE(Hold("methods: 'GET'", TestInput("/").Method("get")));
}

TEST(RouteConditions, AllMustHold) {
  const std::string match =
      "headers { name: 'x-a' exact: '1' } headers { name: 'X-B' } "
      "query { name: 'q' prefix: 'v' } cookies { name: 'c' suffix: 'z' }";
  const auto input = [](std::string_view target, std::string cookie) {
    return TestInput(target).With("X-A", "1").With("x-b", "").With("Cookie", std::move(cookie));
  };
  EXPECT_TRUE(Hold(match, input("/?q=v1", "c=xyz")));
  EXPECT_FALSE(Hold(match, input("/?q=w", "c=xyz")));
  EXPECT_FALSE(Hold(match, input("/?q=v1", "c=xy")));
  EXPECT_FALSE(Hold(match, TestInput("/?q=v1").With("cookie", "c=xyz").With("x-a", "1")));
}

TEST(RouteConditions, NoneMeansThatNothingIsAsked) {
  EXPECT_TRUE(Conditions("prefix: '/'")->none());
  EXPECT_TRUE(Conditions("fraction { percent: 100 }")->none());
  EXPECT_FALSE(Conditions("fraction { percent: 99.9 }")->none());
  EXPECT_FALSE(Conditions("methods: 'GET'")->none());
  EXPECT_FALSE(Conditions("headers { name: 'x' }")->none());
  EXPECT_FALSE(Conditions("query { name: 'x' }")->none());
  EXPECT_FALSE(Conditions("cookies { name: 'x' }")->none());
}

TEST(RouteConditions, ErrorsNameThePlace) {
  const auto bad = Conditions("query { name: 'a' } query { name: 'b' regex: '[' }");
  ASSERT_FALSE(bad);
  EXPECT_TRUE(bad.error().detail.starts_with("query[1].regex: ")) << bad.error().detail;
}

int CountHeld(const std::string& match, const std::string& config) {
  Random random(3);
  const auto conditions = Conditions(match, config);
  int held = 0;
  for (int i = 0; i < 100'000; ++i) held += conditions->Hold(TestInput("/"), random);
  return held;
}

TEST(RouteConditions, AFractionIsAShareOfRequests) {
  EXPECT_EQ(CountHeld("fraction { percent: 0 }", ""), 0);
  EXPECT_NEAR(CountHeld("fraction { percent: 10 }", ""), 10'000, 500);
  EXPECT_NEAR(CountHeld("fraction { percent: 99.5 }", ""), 99'500, 150);
}

TEST(RouteConditions, RuntimeSharesReplaceTheFractions) {
  const std::string runtime = "runtime { key: 'canary' percent: 30 } runtime { key: 'off' }";
  EXPECT_NEAR(CountHeld("fraction { percent: 10 key: 'canary' }", runtime), 30'000, 800);
  EXPECT_EQ(CountHeld("fraction { percent: 10 key: 'off' }", runtime), 0);
  EXPECT_NEAR(CountHeld("fraction { percent: 10 key: 'other' }", runtime), 10'000, 500);
}

TEST(RouteFraction, AllAndNothingDrawNoRandomNumber) {
  Random random(1);
  Random untouched(1);
  EXPECT_TRUE(RouteFraction(100).Draw(random));
  EXPECT_TRUE(RouteFraction().Draw(random));
  EXPECT_FALSE(RouteFraction(0).Draw(random));
  EXPECT_EQ(random.Next(), untouched.Next());
}

}  // namespace
}  // namespace sluice
