#include "core/base/random.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

namespace sluice {
namespace {

TEST(Random, IsXoshiro256PlusPlusSeededBySplitMix) {
  // Computed apart from this code, from the authors' description.
  Random random(42);
  for (const uint64_t value :
       {0xd0764d4f4476689fu, 0x519e4174576f3791u, 0xfbe07cfb0c24ed8cu, 0xb37d9f600cd835b8u}) {
    EXPECT_EQ(random.Next(), value);
  }
}

TEST(Random, SeedsDiffer) {
  EXPECT_NE(Random(1).Next(), Random(2).Next());
  EXPECT_NE(Random().Next(), Random().Next());
}

TEST(Random, BelowAndFractionStayInTheirRange) {
  Random random(1);
  std::set<uint64_t> seen;
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t value = random.Below(10);
    ASSERT_LT(value, 10u);
    seen.insert(value);
    const double fraction = random.Fraction();
    ASSERT_GE(fraction, 0.0);
    ASSERT_LT(fraction, 1.0);
    sum += fraction;
  }
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
  EXPECT_EQ(random.Below(1), 0u);
}

TEST(Random, Uuid4) {
  Random random(3);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    char text[37] = {};
    text[36] = '!';
    WriteUuid4(random, text);
    EXPECT_EQ(text[36], '!');
    for (int k = 0; k < 36; ++k) {
      const bool dash = k == 8 || k == 13 || k == 18 || k == 23;
      ASSERT_EQ(text[k] == '-', dash) << text;
      ASSERT_TRUE(dash || std::string_view("0123456789abcdef").find(text[k]) != std::string::npos);
    }
    EXPECT_EQ(text[14], '4');
    EXPECT_NE(std::string_view("89ab").find(text[19]), std::string::npos);
    EXPECT_TRUE(seen.insert(std::string(text, 36)).second);
  }
}

}  // namespace
}  // namespace sluice
