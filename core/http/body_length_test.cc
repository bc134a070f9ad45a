#include "core/http/body_length.h"

#include <gtest/gtest.h>

#include "core/base/arena.h"

namespace sluice {
namespace {

TEST(BodyLengthTest, HoldsTheBodyAgainstTheHead) {
  Arena arena;
  Headers headers(arena);
  BodyLength length;
  length.Begin(headers);
  EXPECT_TRUE(length.Take(1000, false));
  EXPECT_TRUE(length.Take(0, true));

  headers.Set(HeaderId::kContentLength, "5");
  length.Begin(headers);
  EXPECT_TRUE(length.Take(2, false));
  EXPECT_TRUE(length.Take(3, false));
  EXPECT_FALSE(length.Take(1, false));
  EXPECT_TRUE(length.Take(0, true));
  length.Begin(headers);
  EXPECT_FALSE(length.Take(6, false));
  EXPECT_FALSE(length.Take(4, true));
  length.Release();
  EXPECT_TRUE(length.Take(6, true));
}

TEST(BodyLengthTest, ALengthThatCannotBeWrittenIsNone) {
  Arena arena;
  Headers headers(arena);
  EXPECT_EQ(AnnouncedLength(headers), -1);
  headers.Set(HeaderId::kContentLength, "5");
  EXPECT_EQ(AnnouncedLength(headers), 5);
  for (const char* bad : {"", "-1", "5 ", "five", "9223372036854775808"}) {
    headers.Set(HeaderId::kContentLength, bad);
    EXPECT_EQ(AnnouncedLength(headers), -1) << bad;
  }
}

}  // namespace
}  // namespace sluice
