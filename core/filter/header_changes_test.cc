#include "core/filter/header_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/config/header_changes.pb.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class HeaderChangesTest : public ::testing::Test {
 protected:
  HeaderChangesTest() : info(arena, connection), request(arena) { info.request = &request; }

  void Set(std::string name, std::string value) {
    config::HeaderValue* field = config.add_set();
    field->set_name(std::move(name));
    field->set_value(std::move(value));
  }
  void Add(std::string name, std::string value) {
    config::HeaderValue* field = config.add_add();
    field->set_name(std::move(name));
    field->set_value(std::move(value));
  }
  std::vector<std::pair<std::string, std::string>> Apply() {
    changes.push_back(HeaderChanges::Compile(config).value());
    changes.back().Apply(request.headers, info);
    std::vector<std::pair<std::string, std::string>> list;
    request.headers.ForEach(
        [&](const Headers::Entry& entry) { list.emplace_back(entry.name, entry.value); });
    return list;
  }
  std::string CompileError() {
    const auto compiled = HeaderChanges::Compile(config);
    return compiled ? "" : compiled.error().detail;
  }

  Arena arena;
  ConnectionInfo connection;
  StreamInfo info;
  RequestHead request;
  config::HeaderChanges config;
  std::vector<HeaderChanges> changes;
};

TEST_F(HeaderChangesTest, RemovesThenSetsThenAdds) {
  request.headers.Add("x-gone", "1");
  request.headers.Add("X-Gone", "2");
  request.headers.Add("user-agent", "curl");
  request.headers.Add("x-team", "a");
  request.headers.Add("x-team", "b");
  config.add_remove("X-GONE");
  Set("X-Team", "c");
  Set("user-agent", "sluice");
  Set("x-new", "1");
  Add("x-new", "2");
  Add("accept", "*/*");
  EXPECT_THAT(Apply(), ElementsAre(Pair("user-agent", "sluice"), Pair("x-team", "c"),
                                   Pair("x-new", "1"), Pair("x-new", "2"), Pair("accept", "*/*")));
}

TEST_F(HeaderChangesTest, ValuesMayHoldVariables) {
  request.headers.Add("x-team", "blue");
  info.client_ip = "192.0.2.7";
  info.status = 204;
  Set("x-ip", "%client_ip%");
  Set("x-all", "%header(x-team)%/%status%/100%%");
  EXPECT_THAT(Apply(), ElementsAre(Pair("x-team", "blue"), Pair("x-ip", "192.0.2.7"),
                                   Pair("x-all", "blue/204/100%")));
}

TEST_F(HeaderChangesTest, AFieldMayBeMadeOfItself) {
  request.headers.Add("x-path", "a");
  Set("x-path", "%header(x-path)%/b");
  EXPECT_THAT(Apply(), ElementsAre(Pair("x-path", "a/b")));
}

TEST_F(HeaderChangesTest, EmptyValuesAreNotSent) {
  request.headers.Add("x-old", "1");
  Set("x-old", "%header(x-missing)%");
  Add("x-more", "%request_id%");
  EXPECT_THAT(Apply(), ElementsAre());
}

TEST_F(HeaderChangesTest, NoLineEndGetsIntoAValue) {
  info.local_reply_body = "a\r\nset-cookie: b\tc";
  Add("x-body", "%local_reply_body%");
  EXPECT_THAT(Apply(), ElementsAre(Pair("x-body", "a  set-cookie: b\tc")));
}

TEST_F(HeaderChangesTest, WhatSaysHowMessagesEndIsProtected) {
  for (const char* name :
       {"host", "Content-Length", "transfer-encoding", "CONNECTION", "keep-alive",
        "proxy-connection", "upgrade", "te", "trailer", "expect", ":path", ":authority", ""}) {
    SCOPED_TRACE(name);
    config.Clear();
    Set(name, "x");
    EXPECT_THAT(CompileError(), HasSubstr(name));
    EXPECT_NE(CompileError(), "");
    config.Clear();
    Add(name, "x");
    EXPECT_NE(CompileError(), "");
    config.Clear();
    config.add_remove(name);
    EXPECT_NE(CompileError(), "");
  }
}

TEST_F(HeaderChangesTest, AnUnknownVariableIsToldWithItsField) {
  Set("x-ip", "%clinet_ip%");
  EXPECT_EQ(CompileError(), "x-ip: no variable \"clinet_ip\" (did you mean \"client_ip\"?)");
}

TEST_F(HeaderChangesTest, AControlCharacterIsRefused) {
  Set("x", "a\nb");
  EXPECT_EQ(CompileError(), "x: a control character");
}

TEST_F(HeaderChangesTest, Empty) {
  EXPECT_TRUE(HeaderChanges().empty());
  EXPECT_TRUE(HeaderChanges::Compile(config)->empty());
  config.add_remove("x");
  EXPECT_FALSE(HeaderChanges::Compile(config)->empty());
}

}  // namespace
}  // namespace sluice
