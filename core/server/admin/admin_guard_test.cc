#include "core/server/admin/admin_guard.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/arena.h"

namespace sluice {
namespace {

class AdminGuardTest : public testing::Test {
 protected:
  // The status of the refusal; 0: it may go on.
  int Ask(const AdminGuard& guard, const AdminRow* row) {
    const auto refusal = guard.Refuse(head_, connection_, row);
    return refusal ? refusal->status : 0;
  }
  void Field(std::string_view name, std::string_view value) { head_.headers.Add(name, value); }

  Arena arena_;
  RequestHead head_{arena_};
  ConnectionInfo connection_;
  AdminRow page_{"/stats"};
  AdminRow open_{"/ready", AdminKind::kPage, "", "", nullptr, true};
  AdminRow action_{"/stop", AdminKind::kAction};
  AdminGuard guard_{""};
  AdminGuard tokens_{"secret"};

 private:
  void SetUp() override {
    connection_.local = *Address::Parse("127.0.0.1:9901");
    head_.authority = "127.0.0.1:9901";
  }
};

TEST_F(AdminGuardTest, WithATokenOnlyThoseWhoKnowIt) {
  EXPECT_EQ(Ask(tokens_, &page_), 401);
  EXPECT_EQ(Ask(tokens_, nullptr), 401);
  EXPECT_EQ(Ask(tokens_, &open_), 0);
  const auto refusal = tokens_.Refuse(head_, connection_, &action_);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->headers[0].first, "www-authenticate");
  EXPECT_EQ(refusal->headers[0].second, "Bearer");
}

TEST_F(AdminGuardTest, WhatIsNoToken) {
  for (const std::string_view value :
       {"Bearer", "Bearer ", "Bearer secre", "Bearer secrets", "Bearer SECRET", "Basic secret",
        "secret", "Bearer secret secret"}) {
    head_.headers.Set(HeaderId::kAuthorization, value);
    EXPECT_EQ(Ask(tokens_, &page_), 401) << value;
  }
  head_.headers.Set(HeaderId::kAuthorization, "bearer secret");
  EXPECT_EQ(Ask(tokens_, &page_), 0);
  // A page of the web cannot send it.
  Field("origin", "https://example.com");
  EXPECT_EQ(Ask(tokens_, &action_), 0);
}

TEST_F(AdminGuardTest, ASocketFileIsGuardedByItsMode) {
  connection_.local = *Address::Parse("unix:/run/sluice/admin.sock");
  head_.authority = "anything";
  EXPECT_EQ(Ask(tokens_, &action_), 0);
  EXPECT_EQ(Ask(guard_, &action_), 0);
  connection_.local = *Address::Parse("unix:@sluice");
  EXPECT_EQ(Ask(tokens_, &action_), 401);
}

TEST_F(AdminGuardTest, ActionsAreNotForWebPages) {
  EXPECT_EQ(Ask(guard_, &action_), 0);
  for (const std::string_view sure : {"localhost", "localhost:9901", "[::1]:9901", "10.0.0.1"}) {
    head_.authority = sure;
    EXPECT_EQ(Ask(guard_, &action_), 0) << sure;
  }
  for (const std::string_view other : {"", "rebound.example:9901", "localhost.example",
                                       "127.0.0.1.example", "[::1", "[]", "1.2.3"}) {
    head_.authority = other;
    EXPECT_EQ(Ask(guard_, &action_), 403) << other;
    EXPECT_EQ(Ask(guard_, &page_), 0) << other;
  }
  head_.authority = "localhost";
  Field("sec-fetch-site", "cross-site");
  EXPECT_EQ(Ask(guard_, &action_), 403);
  EXPECT_EQ(Ask(guard_, &page_), 0);
}

TEST_F(AdminGuardTest, APageOfTheWebSaysItsOrigin) {
  Field("origin", "null");
  EXPECT_EQ(Ask(guard_, &action_), 403);
}

}  // namespace
}  // namespace sluice
