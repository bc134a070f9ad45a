#include "core/config/route_key.h"

#include <gtest/gtest.h>

#include "core/config/route.pb.h"

namespace sluice {
namespace {

TEST(RouteKeyTest, ItsNameIfItHasOne) {
  config::Route route;
  route.mutable_match()->set_prefix("/api/");
  EXPECT_EQ(RouteKey(route), "/api/");
  route.set_name("api");
  EXPECT_EQ(RouteKey(route), "api");
}

TEST(RouteKeyTest, ElseItsMatch) {
  config::Route prefix;
  prefix.mutable_match()->set_prefix("/api");
  config::Route path;
  path.mutable_match()->set_path("/api");
  config::Route get = prefix;
  get.mutable_match()->add_methods("GET");
  config::Route connect;
  connect.mutable_match()->add_methods("CONNECT");
  EXPECT_EQ(RouteKey(path).substr(0, 5), "/api~");
  EXPECT_EQ(RouteKey(path).size(), 13U);
  EXPECT_EQ(RouteKey(get).substr(0, 5), "/api~");
  EXPECT_NE(RouteKey(get), RouteKey(path));
  EXPECT_EQ(RouteKey(connect).substr(0, 1), "~");
  EXPECT_EQ(RouteKey(connect), RouteKey(config::Route(connect))) << "wherever it stands";
}

}  // namespace
}  // namespace sluice
