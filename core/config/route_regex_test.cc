#include "core/config/route_regex.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

namespace sluice {
namespace {

TEST(CompileRegex, SaysWhatIsWrong) {
  const auto bad = CompileRegex("/a(b");
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().detail.find("missing )"), std::string::npos) << bad.error().detail;
}

TEST(FullMatch, TakesAllOfTheText) {
  const auto regex = CompileRegex("/v[0-9]+");
  ASSERT_TRUE(regex);
  EXPECT_TRUE(FullMatch(**regex, "/v12"));
  EXPECT_FALSE(FullMatch(**regex, "/v12/"));
  EXPECT_FALSE(FullMatch(**regex, "x/v12"));
  const auto either = CompileRegex("/a|/ab");
  EXPECT_TRUE(FullMatch(**either, "/ab"));
}

TEST(RouteRegex, KnowsWhatEveryMatchBeginsWith) {
  const struct {
    std::string_view pattern, prefix;
    bool whole;
  } cases[] = {
      {"/api/v[0-9]+/x", "/api/v", false},
      {"/healthz", "/healthz", true},
      {"^/healthz$", "/healthz", true},
      {"/a\\.b\\-c", "/a.b-c", true},
      {"", "", true},
      {"/ab*", "/a", false},
      {"/ab?c", "/a", false},
      {"/ab{2}", "/abb", false},
      {"/ab+", "/ab", false},
      {"/ab\\d", "/ab", false},
      {"/ab(?i)c", "/ab", false},
      {"/ab+(?i)?", "/a", false},
      {"^/ab?\\b", "/a", false},
      {"^/u/(one|two)$", "/u/", false},
      {"/a.*", "/a", false},
      {".*", "", false},
      {"(?i)/API", "/", false},
      {"/a|/b", "/", false},
      {"/a|b", "", false},
      {"a*", "", false},
      {"/u/(one|two)", "/u/", false},
      {"/\xc3\xa4*", "/", false},
  };
  for (const auto& each : cases) {
    RegexPool pool;
    const auto regex = RouteRegex::Compile(each.pattern, pool);
    ASSERT_TRUE(regex) << each.pattern;
    EXPECT_EQ(regex->literal(), each.whole) << each.pattern;
    EXPECT_EQ(regex->prefix(), each.prefix) << each.pattern;
  }
}

// Without the part that the prefix tells, a regex must take what it takes with it.
TEST(RouteRegex, MatchesAsTheWholePatternDoes) {
  constexpr std::string_view kPatterns[] = {
      "/ab",     "^/ab$",     "/ab*",    "/ab?",     "/ab+",      "/ab{2}",       "/a\\.*b",
      "/a^b",    "/a\\bb",    "/a\\b.*", "/a\\Bb",   "/a(^b)?",   "/a\\Ab",       "/a(b|)$",
      "/a|/abb", "(/a|/b)b",  "/a$b*",   "(?i)/A.*", "/\\Qa\\Eb", "/\xc3\xa4+b?", "/a[b/]+",
      "/a\\+b+", "/a++",      ".*",      "",         "^",         "/a.{0,3}b",    "/ab(?:)",
      "/a\\x62", "/a(?s:.)b", "/a\\.+b", "a*",       "/a\\z",     "/ab\\b.*",     "^/ab?\\b",
      "/ab?\\B", "a+(?i)?",   "/a(?i)?"};
  constexpr std::string_view kTexts[] = {"",
                                         "/",
                                         "/a",
                                         "/ab",
                                         "/abb",
                                         "/abbb",
                                         "/a.b",
                                         "/a..b",
                                         "/a/b",
                                         "/a b",
                                         "/A",
                                         "/Ab",
                                         "a",
                                         "aa",
                                         "/a+b",
                                         "/a++b",
                                         "/aa",
                                         "/bb",
                                         "/aab",
                                         "/a...b",
                                         "/\xc3\xa4",
                                         "/\xc3\xa4"
                                         "b",
                                         "/\xc3"};
  for (const std::string_view pattern : kPatterns) {
    const auto whole = CompileRegex(pattern);
    RegexPool pool;
    const auto split = RouteRegex::Compile(pattern, pool);
    ASSERT_EQ(whole.has_value(), split.has_value()) << pattern;
    if (!whole) continue;
    for (const std::string_view text : kTexts) {
      EXPECT_EQ(text.starts_with(split->prefix()) && split->Matches(text), FullMatch(**whole, text))
          << pattern << " on " << text;
    }
  }
}

TEST(RegexPool, KeepsOneOfEach) {
  RegexPool pool;
  const auto first = pool.Get("/a+");
  ASSERT_TRUE(first);
  EXPECT_EQ(*pool.Get("/a+"), *first);
  EXPECT_NE(*pool.Get("/b+"), *first);
  EXPECT_FALSE(pool.Get("("));
}

TEST(RegexSet, NamesThoseThatMatch) {
  const auto set = RegexSet::Build({"/a.*", "/b", ".*c", "/abc"});
  ASSERT_NE(set, nullptr);
  std::vector<int> numbers;
  ASSERT_TRUE(set->Match("/abc", numbers));
  EXPECT_EQ(numbers, (std::vector<int>{0, 2, 3}));
  ASSERT_TRUE(set->Match("/bb", numbers));
  EXPECT_EQ(numbers, (std::vector<int>{}));
}

TEST(RegexSet, IsNotBuiltOfTooMuch) {
  const std::string large = "/(" + std::string(200, 'x') + "){0,1000}";
  EXPECT_EQ(RegexSet::Build({large + "a", large + "b", large + "c"}), nullptr);
}

}  // namespace
}  // namespace sluice
