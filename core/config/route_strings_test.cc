#include "core/config/route_strings.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

TEST(RouteStrings, FindsWhatWasInserted) {
  RouteStrings strings;
  EXPECT_EQ(strings.Find("a"), RouteStrings::kNone);
  EXPECT_EQ(strings.Find(""), RouteStrings::kNone);
  for (uint32_t i = 0; i < 5000; ++i) EXPECT_TRUE(strings.Insert("key" + std::to_string(i), i));
  EXPECT_EQ(strings.size(), 5000u);
  for (uint32_t i = 0; i < 5000; ++i) EXPECT_EQ(strings.Find("key" + std::to_string(i)), i);
  EXPECT_EQ(strings.Find("key5000"), RouteStrings::kNone);
  EXPECT_EQ(strings.Find("key"), RouteStrings::kNone);
}

TEST(RouteStrings, TakesTheEmptyStringAndKeepsTheFirst) {
  RouteStrings strings;
  EXPECT_TRUE(strings.Insert("", 7));
  EXPECT_FALSE(strings.Insert("", 8));
  EXPECT_EQ(strings.Find(""), 7u);
  EXPECT_EQ(strings.size(), 1u);
}

// Sticky choices outlive a process: the hash must not change from release to release.
TEST(RouteHash, IsXxh3) {
  EXPECT_EQ(RouteHash(""), 0x2d06800538d394c2u);
  EXPECT_EQ(RouteHash("user-1"), 0x7c7615c11438e5c9u);
}

}  // namespace
}  // namespace sluice
