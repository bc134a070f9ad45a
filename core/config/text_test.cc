#include "core/config/text.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(Text, DidYouMeanFindsSlips) {
  const std::vector<std::string> words = {"listen", "limits", "timeouts", "path", "max_age", "on"};
  EXPECT_EQ(DidYouMean("lissten", words), " (did you mean \"listen\"?)");
  EXPECT_EQ(DidYouMean("timeuots", words), " (did you mean \"timeouts\"?)");
  EXPECT_EQ(DidYouMean("timeout", words), " (did you mean \"timeouts\"?)");
  EXPECT_EQ(DidYouMean("maxAge", words), " (did you mean \"max_age\"?)");
  EXPECT_EQ(DidYouMean("max-age", words), " (did you mean \"max_age\"?)");
  EXPECT_EQ(DidYouMean("limit", words), " (did you mean \"limits\"?)");
}

TEST(Text, DidYouMeanIsSilentAboutOtherWords) {
  const std::vector<std::string> words = {"listen", "on", "path"};
  EXPECT_EQ(DidYouMean("", words), "");
  EXPECT_EQ(DidYouMean("x", words), "");
  EXPECT_EQ(DidYouMean("certificates", words), "");
  EXPECT_EQ(DidYouMean("listen", {}), "");
  EXPECT_EQ(DidYouMean(std::string(1000, 'a'), {std::string(1000, 'a') + "b"}), "");
}

TEST(Text, QuotesOneReadableLine) {
  EXPECT_EQ(Quoted("a"), "\"a\"");
  EXPECT_EQ(Quoted("a\r\nb\x1b[0m"), "\"a??b?[0m\"");
  EXPECT_EQ(Quoted(std::string(100, 'a')), "\"" + std::string(80, 'a') + "...\"");
  // Cut in the middle of a character: all of it goes.
  EXPECT_EQ(Quoted(std::string(79, 'a') + "\xe2\x82\xac and more"),
            "\"" + std::string(79, 'a') + "...\"");
}

TEST(Text, JoinsAlternatives) {
  EXPECT_EQ(JoinAlternatives({}), "");
  EXPECT_EQ(JoinAlternatives({"a"}), "a");
  EXPECT_EQ(JoinAlternatives({"a", "b"}), "a or b");
  EXPECT_EQ(JoinAlternatives({"a", "b", "c"}), "a, b or c");
}

}  // namespace
}  // namespace sluice
