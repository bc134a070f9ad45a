#include "core/config/shadow.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "core/base/strings.h"
#include "core/config/route.pb.h"

namespace sluice {
namespace {

// Which earlier route covers each of `matches` (in protobuf's text format), "-" where none does.
std::string Covers(std::initializer_list<const char*> matches) {
  ShadowFinder finder;
  std::string covers;
  for (const char* text : matches) {
    config::Match match;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &match)) << text;
    const auto earlier = finder.Next(match);
    covers += earlier ? std::to_string(*earlier) : "-";
  }
  return covers;
}

TEST(Shadow, SamePathConditions) {
  EXPECT_EQ(Covers({"path: '/a'", "path: '/b'", "path: '/a'"}), "--0");
  EXPECT_EQ(Covers({"regex: '/a.*'", "regex: '/b'", "regex: '/a.*'"}), "--0");
  EXPECT_EQ(Covers({"prefix: '/a'", "prefix: '/a'"}), "-0");
  EXPECT_EQ(Covers({"path_prefix: '/a'", "path_prefix: '/a'"}), "-0");
}

TEST(Shadow, PrefixCoversWhatBeginsWithIt) {
  EXPECT_EQ(Covers({"prefix: '/api'", "prefix: '/api/v1'", "path: '/apis'", "path_prefix: '/api'",
                    "prefix: '/ap'", "path: '/ap'", "regex: '/api/.*'"}),
            "-000-4-");
}

TEST(Shadow, PathPrefixCoversSegments) {
  EXPECT_EQ(Covers({"path_prefix: '/api'", "path: '/api'", "path: '/api/x'", "path: '/apis'",
                    "prefix: '/api/'", "prefix: '/api'", "path_prefix: '/api/x'",
                    "path_prefix: '/apis'"}),
            "-00-0-05");
}

TEST(Shadow, CatchAllCoversEverything) {
  EXPECT_EQ(Covers({"prefix: '/'", "regex: '/x'", "path: '/y'", "methods: 'GET'"}), "-000");
  EXPECT_EQ(Covers({"", "prefix: '/'"}), "-0");
  EXPECT_EQ(Covers({"path_prefix: '/'", "path: '/a'"}), "-0");
}

TEST(Shadow, ConditionsKeepTheWayOpen) {
  EXPECT_EQ(Covers({"prefix: '/' methods: 'GET'", "path: '/a'"}), "--");
  EXPECT_EQ(Covers({"prefix: '/' headers { name: 'x' }", "path: '/a'"}), "--");
  EXPECT_EQ(Covers({"prefix: '/' fraction { percent: 5 }", "prefix: '/'"}), "--");
  EXPECT_EQ(Covers({"prefix: '/' query { name: 'x' }", "prefix: '/' cookies { name: 'x' }"}), "--");
  // The same conditions do not, unless a share lets some through.
  EXPECT_EQ(Covers({"prefix: '/' methods: 'GET'", "prefix: '/' methods: 'GET'"}), "-0");
  EXPECT_EQ(Covers({"prefix: '/' fraction { percent: 5 }", "prefix: '/' fraction { percent: 5 }"}),
            "--");
  // An open route before covers one with conditions.
  EXPECT_EQ(Covers({"prefix: '/a'", "prefix: '/a' methods: 'GET'"}), "-0");
}

}  // namespace
}  // namespace sluice
