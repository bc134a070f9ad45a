#include "core/base/strings.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice {
namespace {

TEST(Strings, CaseIsOfAsciiLettersOnly) {
  EXPECT_TRUE(EqualsIgnoreCase("Content-LENGTH", "content-length"));
  EXPECT_TRUE(EqualsIgnoreCase("", ""));
  EXPECT_FALSE(EqualsIgnoreCase("a", "ab"));
  EXPECT_FALSE(EqualsIgnoreCase("@", "`"));  // 0x20 apart, like letters
  EXPECT_FALSE(EqualsIgnoreCase("[", "{"));
  EXPECT_FALSE(EqualsIgnoreCase("\xc4", "\xe4"));
  EXPECT_EQ(LowerAscii("ABC@[`{\xc4z"), "abc@[`{\xc4z");
}

TEST(Strings, TrimBlanks) {
  EXPECT_EQ(TrimBlanks(" \t a b\t "), "a b");
  EXPECT_EQ(TrimBlanks(" \t "), "");
  EXPECT_EQ(TrimBlanks(""), "");
  EXPECT_EQ(TrimBlanks("\ra\n"), "\ra\n");
}

TEST(Strings, StrCat) {
  EXPECT_EQ(StrCat({"a", "", std::string("b"), Decimal(18446744073709551615u)}),
            "ab18446744073709551615");
  EXPECT_EQ(StrCat({}), "");
  EXPECT_EQ(Decimal(0).view(), "0");
}

TEST(Strings, ParseDecimal) {
  EXPECT_EQ(ParseDecimal("0"), 0u);
  EXPECT_EQ(ParseDecimal("007"), 7u);
  EXPECT_EQ(ParseDecimal("18446744073709551615"), UINT64_MAX);
  for (const std::string_view text : {"", "-1", "+1", " 1", "1 ", "1.", "0x1", "1e3", "a",
                                      "18446744073709551616", "99999999999999999999999"}) {
    EXPECT_FALSE(ParseDecimal(text)) << text;
  }
  EXPECT_FALSE(ParseDecimal(std::string_view("1\0", 2)));
}

TEST(Strings, Lists) {
  std::vector<std::string> elements;
  const auto take = [&](std::string_view element) {
    elements.emplace_back(element);
    return elements.size() < 3;
  };
  ForEachListElement(" a ,, b\t,\t,c,d", take);
  EXPECT_EQ(elements, (std::vector<std::string>{"a", "b", "c"}));
  elements.clear();
  ForEachListElement(" , ,", take);
  EXPECT_TRUE(elements.empty());
  EXPECT_TRUE(ListContains("Keep-Alive, close", "CLOSE"));
  EXPECT_TRUE(ListContains("close", "close"));
  EXPECT_FALSE(ListContains("closed, not close", "close"));
  EXPECT_FALSE(ListContains("", ""));
}

}  // namespace
}  // namespace sluice
