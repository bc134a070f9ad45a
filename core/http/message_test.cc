#include "core/http/message.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(RequestHeadTest, TheMethodAndItsNameAreOne) {
  Arena arena;
  RequestHead head(arena);
  EXPECT_EQ(head.method(), Method::kOther);
  head.SetMethod("GET");
  EXPECT_EQ(head.method(), Method::kGet);
  EXPECT_EQ(head.method_name(), "GET");
  head.SetMethod("PURGE");
  EXPECT_EQ(head.method(), Method::kOther);
  EXPECT_EQ(head.method_name(), "PURGE");
  head.SetMethod("get");  // methods are case-sensitive
  EXPECT_EQ(head.method(), Method::kOther);
}

}  // namespace
}  // namespace sluice
