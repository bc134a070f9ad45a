#include "core/server/admin/show.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace sluice {
namespace {

std::string Text(const char* json) { return TextOf(nlohmann::ordered_json::parse(json)); }

TEST(ShowTest, AnObjectIsALineForEachValue) {
  EXPECT_EQ(Text(R"({"name": "a", "number": 3, "yes": true, "none": null, "list": [1, "b"]})"),
            "name    a\nnumber  3\nyes     yes\nnone    -\nlist    1, b\n");
}

TEST(ShowTest, WhatStandsInsideIsIndentedBelow) {
  EXPECT_EQ(Text(R"({"a": 1, "inside": {"long": 2, "b": 3}, "c": 4})"),
            "a  1\ninside\n  long  2\n  b     3\nc  4\n");
}

TEST(ShowTest, AListOfObjectsIsATable) {
  EXPECT_EQ(Text(R"({"rows": [{"x": "long", "y": 1}, {"x": "b", "y": 22}, {"y": [1, 2]}]})"),
            "rows\n  x     y\n  long  1\n  b     22\n  -     1, 2\n");
  EXPECT_EQ(Text(R"([{"x": 1, "in": {"y": 2}}, {"x": 3, "in": {"y": 4}}])"),
            "x  1\nin\n  y  2\n\nx  3\nin\n  y  4\n");
}

TEST(ShowTest, Empty) {
  EXPECT_EQ(Text("{}"), "");
  EXPECT_EQ(Text("[]"), "-\n");
}

TEST(ShowTest, AsItIsAskedFor) {
  const nlohmann::ordered_json json = {{"a", 1}};
  EXPECT_EQ(AdminShow(AdminRequest(""), json).body, "a  1\n");
  const AdminReply reply = AdminShow(AdminRequest("format=json"), json);
  EXPECT_EQ(reply.content_type, kAdminJson);
  EXPECT_EQ(nlohmann::json::parse(reply.body)["a"], 1);
}

}  // namespace
}  // namespace sluice
