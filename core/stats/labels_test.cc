#include "core/stats/labels.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace sluice {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(Labels, AreSortedAndQuoted) {
  EXPECT_EQ(CanonicalLabels({}), "");
  EXPECT_EQ(CanonicalLabels({{"a", ""}}), "a=\"\"");
  EXPECT_EQ(CanonicalLabels({{"zone", "b"}, {"cluster", "api"}}), "cluster=\"api\",zone=\"b\"");
}

TEST(Labels, EscapeBackslashQuoteAndLineFeedOnly) {
  EXPECT_EQ(CanonicalLabels({{"a", "\\ \" \n \t , = }"}}), "a=\"\\\\ \\\" \\n \t , = }\"");
}

TEST(Labels, KeepUtf8AndReplaceWhatIsNot) {
  for (const std::string good : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xEF\xBF\xBF"}) {
    EXPECT_EQ(CanonicalLabels({{"a", good}}), "a=\"" + good + "\"");
  }
  const std::string replaced = "\xEF\xBF\xBD";
  const std::pair<std::string, int> bad[] = {
      {"\x80", 1},              // a continuation alone
      {"\xC3", 1},              // cut short
      {"\xE2\x82", 2},          // cut short
      {"\xC0\xAF", 2},          // overlong
      {"\xE0\x80\xAF", 3},      // overlong
      {"\xED\xA0\x80", 3},      // a surrogate
      {"\xF4\x90\x80\x80", 4},  // beyond U+10FFFF
      {"\xFF", 1},
  };
  for (const auto& [text, count] : bad) {
    std::string wanted = "a=\"x";
    for (int i = 0; i < count; ++i) wanted += replaced;
    EXPECT_EQ(CanonicalLabels({{"a", "x" + text + "y"}}), wanted + "y\"");
  }
}

TEST(Labels, ParseIsTheInverse) {
  EXPECT_EQ(ParseLabels(""), Pairs{});
  const Pairs pairs = {{"a", ""}, {"b", "x\\\"\n,=\"y"}, {"c", "\\n"}, {"d", "\xC3\xA9"}};
  LabelList labels;
  for (const auto& [name, value] : pairs) labels.push_back({name, value});
  EXPECT_EQ(ParseLabels(CanonicalLabels(labels)), pairs);
}

TEST(Labels, Names) {
  for (const char* name : {"a", "_", "A9_z", "a:b"}) EXPECT_TRUE(IsMetricName(name)) << name;
  for (const char* name : {"", "9a", "a-b", "a b", "\xC3\xA9"}) {
    EXPECT_FALSE(IsMetricName(name)) << name;
    EXPECT_FALSE(IsLabelName(name)) << name;
  }
  EXPECT_TRUE(IsLabelName("le"));
  EXPECT_FALSE(IsLabelName("a:b"));
}

TEST(Labels, TextFromElsewhereIsCheckedAndParsedAsFarAsItGoes) {
  for (const char* good :
       {"", "a=\"\"", "a=\"x\",b=\"y\"", "a=\"\\\"\\n\\\\\"", "a=\"\xc3\xa9\""}) {
    EXPECT_TRUE(IsLabelText(good)) << good;
  }
  for (const char* bad : {"a", "a=", "a=\"", "a=\"x", "a=\"x\\", "a=\"x\",", "a=\"x\"b=\"y\"",
                          "=\"x\"", "1=\"x\"", "a=x", "a=\"x\n\"", ",", "a=\"x\\\"", "a=\"\\t\"",
                          // Not UTF-8: no scrape with it could be read.
                          "a=\"\xff\"", "a=\"\xc3\"", "a=\"\xed\xa0\x80\"", "a=\"\\\xc3\xa9\""}) {
    EXPECT_FALSE(IsLabelText(bad)) << bad;
    EXPECT_LE(ParseLabels(bad).size(), 1u) << bad;
  }
  EXPECT_EQ(ParseLabels("a=\"x\",b").size(), 1u);
}

}  // namespace
}  // namespace sluice
