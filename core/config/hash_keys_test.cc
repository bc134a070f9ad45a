#include "core/config/hash_keys.h"

#include <gtest/gtest.h>

#include "core/config/hash_key.pb.h"
#include "core/config/labels.h"
#include "core/config/route.pb.h"
#include "core/config/route_strings.h"
#include "core/config/route_test_input.h"

namespace sluice {
namespace {

class HashKeysTest : public testing::Test {
 protected:
  config::HashKey& Add() { return *route_.add_hash(); }
  HashKeys::Found Find() { return HashKeys(route_.hash()).Find(input_); }

  config::Route route_;
  TestInput input_{"/?p=1&q=2"};
};

TEST_F(HashKeysTest, TheFirstThatTheRequestHasCounts) {
  EXPECT_TRUE(HashKeys(route_.hash()).empty());
  EXPECT_FALSE(Find().hash);
  Add().set_header("x-user");
  Add().set_cookie("id");
  EXPECT_FALSE(Find().hash);
  Add().set_client_ip(true);
  EXPECT_FALSE(Find().hash) << "it is not known";
  input_.From("10.0.0.1");
  EXPECT_EQ(Find().hash, RouteHash("10.0.0.1"));
  Add().set_query("q");
  EXPECT_EQ(Find().hash, RouteHash("10.0.0.1"));
  input_.From("");
  EXPECT_EQ(Find().hash, RouteHash("2"));
  input_.With("cookie", "a=1; id=7");
  EXPECT_EQ(Find().hash, RouteHash("7"));
  input_.With("x-user", "me");
  EXPECT_EQ(Find().hash, RouteHash("me"));
  EXPECT_EQ(Find().give, nullptr);
}

TEST_F(HashKeysTest, ACookieWithATtlIsGiven) {
  Add().set_header("x-user");
  config::HashKey& cookie = Add();
  cookie.set_cookie("id");
  const HashKeys without(route_.hash());
  EXPECT_EQ(without.Find(input_).give, nullptr);
  cookie.set_ttl(5 * kSecond);
  const HashKeys with(route_.hash());
  const HashKeys::Found found = with.Find(input_);
  ASSERT_NE(found.give, nullptr);
  EXPECT_FALSE(found.hash);
  EXPECT_EQ(found.give->source.name(), "id");
  EXPECT_EQ(found.give->ttl, 5 * kSecond);
  EXPECT_EQ(found.give->path, "/");
  input_.With("cookie", "id=7");
  EXPECT_EQ(with.Find(input_).hash, RouteHash("7"));
}

TEST(SubsetText, IsAnotherForOtherLabels) {
  EXPECT_EQ(SubsetText({}), "");
  EXPECT_NE(SubsetText({{"a", "1"}}), SubsetText({{"a", "2"}}));
  EXPECT_NE(SubsetText({{"a", "1;b=1:2"}}), SubsetText({{"a", "1"}, {"b", "2"}}));
  config::Route route;
  config::Label& b = *route.add_subset();
  b.set_name("b");
  b.set_value("2");
  route.add_subset()->set_name("a");
  EXPECT_EQ(LabelPairsOf(route.subset()), (LabelPairs{{"a", ""}, {"b", "2"}}));
}

}  // namespace
}  // namespace sluice
