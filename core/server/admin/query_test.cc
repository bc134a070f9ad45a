#include "core/server/admin/query.h"

#include <gmock/gmock.h>

namespace sluice {
namespace {

using ::testing::ElementsAre;

TEST(QueryTest, DecodesNamesAndValues) {
  const Query query("a=1&b=x+y&name%5B%5D=one&name[]=two%2f&flag&&a=2&");
  EXPECT_EQ(query.Get("a"), "1");
  EXPECT_EQ(query.Get("b"), "x y");
  EXPECT_THAT(query.All("name[]"), ElementsAre("one", "two/"));
  EXPECT_TRUE(query.Has("flag"));
  EXPECT_EQ(query.Get("flag"), "");
  EXPECT_FALSE(query.Has("nothing"));
  EXPECT_EQ(query.Get("nothing"), "");
  EXPECT_THAT(query.All("nothing"), ElementsAre());
}

TEST(QueryTest, APercentWithoutDigitsIsItself) {
  const Query query("a=%&b=%4&c=%zz&d=%41");
  EXPECT_EQ(query.Get("a"), "%");
  EXPECT_EQ(query.Get("b"), "%4");
  EXPECT_EQ(query.Get("c"), "%zz");
  EXPECT_EQ(query.Get("d"), "A");
}

TEST(QueryTest, EmptyHasNothing) { EXPECT_FALSE(Query("").Has("")); }

}  // namespace
}  // namespace sluice
