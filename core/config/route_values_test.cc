#include "core/config/route_values.h"

#include "core/config/route_test_input.h"

namespace sluice {
namespace {

using Found = std::optional<std::string_view>;

TEST(FindQueryParameter, TakesTheFirstAsItWasSent) {
  EXPECT_EQ(FindQueryParameter("a=1&b=2", "b"), Found("2"));
  EXPECT_EQ(FindQueryParameter("a=1&a=2", "a"), Found("1"));
  EXPECT_EQ(FindQueryParameter("a=1=2", "a"), Found("1=2"));
  EXPECT_EQ(FindQueryParameter("a", "a"), Found(""));
  EXPECT_EQ(FindQueryParameter("a=", "a"), Found(""));
  EXPECT_EQ(FindQueryParameter("&&a=%41", "a"), Found("%41"));
  EXPECT_EQ(FindQueryParameter("=x&a=1", "a"), Found("1"));
}

TEST(FindQueryParameter, ComparesWholeNames) {
  EXPECT_EQ(FindQueryParameter("", "a"), Found());
  EXPECT_EQ(FindQueryParameter("aa=1&A=2&b=a", "a"), Found());
  EXPECT_EQ(FindQueryParameter("&&", ""), Found());
}

TEST(FindCookie, LooksIntoEveryLine) {
  const TestInput input =
      TestInput("/").With("Cookie", "a=1; b=2;c=3 ; d=\"x\"").With("cookie", "e=5; a=6");
  EXPECT_EQ(FindCookie(input, "a"), Found("1"));
  EXPECT_EQ(FindCookie(input, "b"), Found("2"));
  EXPECT_EQ(FindCookie(input, "c"), Found("3"));
  EXPECT_EQ(FindCookie(input, "d"), Found("\"x\""));
  EXPECT_EQ(FindCookie(input, "e"), Found("5"));
  EXPECT_EQ(FindCookie(input, "A"), Found());
}

TEST(FindCookie, NeedsAnEqualsSign) {
  EXPECT_EQ(FindCookie(TestInput("/"), "a"), Found());
  EXPECT_EQ(FindCookie(TestInput("/").With("cookie", "a; ab=1; ;=2"), "a"), Found());
  EXPECT_EQ(FindCookie(TestInput("/").With("cookie", "a=b=c"), "a"), Found("b=c"));
  EXPECT_EQ(FindCookie(TestInput("/").With("cookie", "a="), "a"), Found(""));
}

}  // namespace
}  // namespace sluice
