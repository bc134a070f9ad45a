#include "core/server/configuration/config_pages.h"

#include <gmock/gmock.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/server/configuration/config_desk.h"
#include "core/server/configuration/whole_config.h"
#include "core/stats/segment.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ConfigPagesTest : public testing::Test, public ConfigTarget {
 protected:
  ConfigPagesTest() {
    ConfigDeskOptions options;
    options.file = folder_.Write("sluice.yaml", Text("one"));
    options.state_folder = folder_.Path("state");
    desk_.emplace(*loop_, directory_, *this, options);
    desk_->Begin(LoadWholeConfig(options.file).value(), {ConfigSource::kStart, "root", ""});
    desk_->OnLive();
    AddConfigPages(table_, *desk_);
  }

  // ConfigTarget
  std::string WhyNoConfig() const override { return ""; }
  Result<void> UseConfig(LoadedConfig loaded) override {
    used_.push_back(loaded.config->id());
    return {};
  }
  Result<void> TryConfig(LoadedConfig loaded) override {
    tried_.push_back(loaded.config->id());
    return {};
  }

  static std::string Text(std::string_view id) {
    return StrCat({"id: ", id, "\nadmin: { listen: 127.0.0.1:0, token: tok-", id, " }\n",
                   "listeners:\n  - name: web\n    listen: 127.0.0.1:0\n"
                   "    routes: [{ match: /, respond: 200 }]\n"});
  }

  AdminReply Ask(AdminKind kind, std::string_view path, std::string_view query, std::string body,
                 std::string_view if_match, std::string_view type) {
    AdminRequest request(query);
    request.body = std::move(body);
    request.if_match = if_match;
    request.content_type = type;
    request.who = "10.0.0.1:4711";
    AdminAnswer answer = table_.Find(path, kind)->handler(request);
    return std::get<AdminReply>(std::move(answer));
  }
  AdminReply Get(std::string_view path, std::string_view query = "") {
    return Ask(AdminKind::kPage, path, query, "", "", "");
  }
  AdminReply Post(std::string body, std::string_view if_match = "*", std::string_view query = "",
                  std::string_view type = "") {
    return Ask(AdminKind::kAction, "/config", query, std::move(body), if_match, type);
  }
  std::string Etag() { return Get("/config").headers.at(0).second; }

  test::TempFolder folder_;
  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create({}).value();
  StatsDirectory directory_{*segment_};
  std::optional<ConfigDesk> desk_;
  AdminTable table_;
  std::vector<std::string> used_;
  std::vector<std::string> tried_;
};

TEST_F(ConfigPagesTest, WhatIsInUse) {
  const AdminReply yaml = Get("/config");
  EXPECT_EQ(yaml.content_type, "application/yaml");
  EXPECT_THAT(yaml.body, HasSubstr("id: one\n"));
  EXPECT_THAT(yaml.body, HasSubstr("drain_timeout: 1m\n"));
  EXPECT_THAT(yaml.body, Not(HasSubstr("tok-one")));
  EXPECT_EQ(Etag(), "\"" + desk_->current().hash + "\"");
  EXPECT_THAT(Get("/config", "origin").body, HasSubstr("sluice.yaml:1:5"));
  const json object = json::parse(Get("/config", "format=json").body);
  EXPECT_EQ(object["id"], "one");
  EXPECT_EQ(object["admin"]["token"], "<secret>");
  EXPECT_EQ(object["listeners"][0]["name"], "web");
  EXPECT_EQ(object["state"]["keep"], 50);
}

// What is shown as JSON is what can be posted, but for secrets.
TEST_F(ConfigPagesTest, TheJsonMayBePosted) {
  json object = json::parse(Get("/config", "format=json").body);
  const AdminReply secret = Post(object.dump(), "*", "", "application/json");
  EXPECT_EQ(secret.status, 400);
  EXPECT_THAT(secret.error, HasSubstr("stands where a secret was left out"));
  object["admin"]["token"] = "other";
  object["id"] = "two";
  EXPECT_EQ(Post(object.dump(), "*", "", "application/json; charset=utf-8").status, 200);
  EXPECT_THAT(used_, ElementsAre("two"));
}

TEST_F(ConfigPagesTest, PostsWantToKnowWhatTheyReplace) {
  EXPECT_EQ(Post(Text("two"), "").status, 428);
  EXPECT_EQ(Post(Text("two"), "\"0123\"").status, 412);
  EXPECT_EQ(Post(Text("two"), "W/" + Etag()).status, 412);
  EXPECT_THAT(used_, IsEmpty());
  const std::string before = Etag();
  const AdminReply done = Post(Text("two"), before, "reason=because");
  EXPECT_EQ(done.body, "reloaded: version 2\n");
  EXPECT_EQ(done.headers.at(0).second, Etag());
  EXPECT_NE(Etag(), before);
  EXPECT_EQ(Post(Text("three"), before).status, 412);
  EXPECT_THAT(used_, ElementsAre("two"));
  EXPECT_EQ(desk_->current().author, "10.0.0.1:4711");
  EXPECT_EQ(desk_->current().reason, "because");
}

TEST_F(ConfigPagesTest, ADryRun) {
  for (const std::string_view query : {"dry_run=1", "dry_run"}) {
    const AdminReply good = Post(Text("two"), "*", query);
    EXPECT_EQ(good.body, "it is good; nothing was done\n");
    EXPECT_THAT(good.headers, IsEmpty());
  }
  EXPECT_EQ(Post("id: [\n", "*", "dry_run=1").status, 400);
  EXPECT_THAT(tried_, ElementsAre("two", "two"));
  EXPECT_THAT(used_, IsEmpty());
  EXPECT_EQ(Post(Text("two"), "*", "dry_run=0").status, 200);
  EXPECT_THAT(used_, ElementsAre("two"));
}

TEST_F(ConfigPagesTest, AllFaultsAreTold) {
  const AdminReply refused = Post("wrong: 1\n" + Text("a/b"));
  EXPECT_EQ(refused.status, 400);
  const json faults = json::parse(refused.body)["faults"];
  ASSERT_EQ(faults.size(), 2U) << refused.body;
  EXPECT_THAT(faults[0], HasSubstr("posted:1:1: unknown field \"wrong\""));
  EXPECT_THAT(faults[1], HasSubstr("posted:2:5: id: "));
  EXPECT_THAT(used_, IsEmpty());
}

TEST_F(ConfigPagesTest, TheBodysFormat) {
  const std::string toml =
      "id = \"two\"\n[[listeners]]\nname = \"web\"\nlisten = \"127.0.0.1:0\"\n"
      "routes = [{ match = \"/\", respond = 200 }]\n";
  EXPECT_EQ(Post(toml, "*", "", "application/toml").status, 200);
  EXPECT_EQ(Post(toml, "*", "", "application/yaml").status, 400);
  EXPECT_EQ(Post(toml, "*", "", "image/png").status, 415);
  EXPECT_EQ(Post(Text("three"), "*", "", "application/x-www-form-urlencoded").status, 200);
  EXPECT_THAT(used_, ElementsAre("two", "three"));
}

TEST_F(ConfigPagesTest, HistoryAndGoingBack) {
  Post(Text("two"));
  const AdminReply back = Ask(AdminKind::kAction, "/config/rollback", "version=1", "", "", "");
  EXPECT_EQ(back.body, "reloaded: version 3\n");
  EXPECT_THAT(used_, ElementsAre("two", "one"));
  EXPECT_EQ(Ask(AdminKind::kAction, "/config/rollback", "version=9", "", "", "").status, 404);
  EXPECT_EQ(Ask(AdminKind::kAction, "/config/rollback", "", "", "", "").status, 400);
  const json list = json::parse(Get("/config/history", "format=json").body);
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0]["version"], 3);
  EXPECT_EQ(list[0]["reason"], "rollback to version 1");
  EXPECT_EQ(list[1]["author"], "10.0.0.1:4711");
  EXPECT_EQ(list[1]["source"], "http");
  EXPECT_EQ(list[2]["source"], "start");
  EXPECT_THAT(Get("/config/history").body, HasSubstr("  http  10.0.0.1:4711\n1  "));
}

TEST_F(ConfigPagesTest, DiffsDoNotShowSecrets) {
  Post(Text("two"));
  const std::string diff = Get("/config/history", "diff=1..2").body;
  EXPECT_THAT(diff, HasSubstr("-id: one\n+id: two\n"));
  EXPECT_THAT(diff, Not(HasSubstr("tok-")));
  EXPECT_EQ(Get("/config/history", "diff=1").status, 400);
  EXPECT_EQ(Get("/config/history", "diff=1..x").status, 400);
  EXPECT_EQ(Get("/config/history", "diff=1..7").status, 404);
}

}  // namespace
}  // namespace sluice
