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

TEST(FindRegexPrefix, IsWhatEveryMatchBeginsWith) {
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
      {"/a\\d", "/a", false},
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
    const auto regex = CompileRegex(each.pattern);
    ASSERT_TRUE(regex) << each.pattern;
    const RegexPrefix found = FindRegexPrefix(**regex);
    EXPECT_EQ(found.whole, each.whole) << each.pattern;
    EXPECT_EQ(found.text, each.prefix) << each.pattern;
  }
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

TEST(RegexSet, SaysWhenItDoesNotFit) {
  EXPECT_EQ(RegexSet::Build({"((a{100}){100}){100}"}), nullptr);
}

}  // namespace
}  // namespace sluice
