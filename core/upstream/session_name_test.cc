#include "core/upstream/session_name.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr std::string_view kKey = "0123456789abcdef";

// The first half of: printf 'session\napi\n10.0.0.1:80' | openssl dgst -sha256 -hmac KEY
TEST(SessionName, IsAnHmac) {
  EXPECT_EQ(SessionName(kKey, "api", "10.0.0.1:80"), "4af0be7302c3da68fda135a53296ee88");
}

TEST(SessionName, DependsOnAllThree) {
  const std::string name = SessionName(kKey, "api", "10.0.0.1:80");
  EXPECT_NE(name, SessionName("0123456789abcdeF", "api", "10.0.0.1:80"));
  EXPECT_NE(name, SessionName(kKey, "web", "10.0.0.1:80"));
  EXPECT_NE(name, SessionName(kKey, "api", "10.0.0.2:80"));
}

}  // namespace
}  // namespace sluice
