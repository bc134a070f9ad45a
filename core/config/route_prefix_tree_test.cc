#include "core/config/route_prefix_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/base/random.h"

namespace sluice {
namespace {

std::string Longest(const std::vector<std::string>& sorted, std::string_view text) {
  const uint32_t found = RoutePrefixTree(sorted).FindLongest(text);
  return found == RoutePrefixTree::kNone ? "-" : sorted[found];
}

TEST(RoutePrefixTree, FindsTheLongest) {
  const std::vector<std::string> prefixes = {"/", "/a", "/a/b", "/abc", "/b/"};
  EXPECT_EQ(Longest(prefixes, "/"), "/");
  EXPECT_EQ(Longest(prefixes, "/x"), "/");
  EXPECT_EQ(Longest(prefixes, "/a"), "/a");
  EXPECT_EQ(Longest(prefixes, "/ab"), "/a");
  EXPECT_EQ(Longest(prefixes, "/abcd"), "/abc");
  EXPECT_EQ(Longest(prefixes, "/a/c"), "/a");
  EXPECT_EQ(Longest(prefixes, "/a/b/c"), "/a/b");
  EXPECT_EQ(Longest(prefixes, "/b"), "/");
  EXPECT_EQ(Longest(prefixes, "/b/"), "/b/");
  EXPECT_EQ(Longest(prefixes, ""), "-");
  EXPECT_EQ(Longest(prefixes, "*"), "-");
}

TEST(RoutePrefixTree, EmptyTreeAndEmptyPrefix) {
  EXPECT_EQ(Longest({}, "/a"), "-");
  EXPECT_EQ(Longest({""}, ""), "");
  EXPECT_EQ(Longest({"", "/"}, std::string_view()), "");
  EXPECT_EQ(Longest({""}, "/a"), "");
  EXPECT_EQ(Longest({"", "/ab"}, "/a"), "");
}

TEST(RoutePrefixTree, AgreesWithASearchOfAll) {
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    std::set<std::string> set;
    const auto text = [&] {
      std::string word;
      for (uint64_t size = random.Below(9); size > 0; --size) word += "/ab\xff"[random.Below(4)];
      return word;
    };
    for (uint64_t count = random.Below(60); count > 0; --count) set.insert(text());
    const std::vector<std::string> prefixes(set.begin(), set.end());
    const RoutePrefixTree tree(prefixes);
    for (int i = 0; i < 50; ++i) {
      const std::string wanted = text();
      uint32_t expected = RoutePrefixTree::kNone;
      for (size_t k = 0; k < prefixes.size(); ++k) {
        // Of prefixes of one text, the last in order is the longest.
        if (wanted.starts_with(prefixes[k])) expected = static_cast<uint32_t>(k);
      }
      EXPECT_EQ(tree.FindLongest(wanted), expected) << wanted;
    }
  }
}

}  // namespace
}  // namespace sluice
