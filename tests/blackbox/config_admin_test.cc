// Configurations over the admin API of the real binary.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/strings.h"
#include "tests/support/raw_client.h"
#include "tests/support/sluice_process.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class ConfigAdminTest : public testing::Test {
 protected:
  ConfigAdminTest() { EXPECT_TRUE(sluice_.WaitUntilReady()); }

  std::string Text(std::string_view answer) const {
    return StrCat({"workers: 2\nadmin: { listen: ['unix:", folder_.Path("admin.sock"),
                   "', 127.0.0.1:0], token: s3cret-", answer, " }\nstats: ", folder_.Path("stats"),
                   "\nstate: { path: ", folder_.Path("state"),
                   " }\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n"
                   "    routes: [{ match: /, respond: { status: 200, body: '",
                   answer, "' } }]\n"});
  }
  // Over the unix socket, that asks for no token.
  HttpText Ask(std::string_view method, std::string_view target, std::string_view fields = "",
               std::string_view body = "") {
    RawClient client(driver_, *Address::Parse("unix:" + folder_.Path("admin.sock")));
    client.Send(StrCat({method, " ", target, " HTTP/1.1\r\nHost: localhost\r\n", fields}));
    if (method == "POST") client.Send(StrCat({"Content-Length: ", Decimal(body.size()), "\r\n"}));
    client.Send(StrCat({"\r\n", body}));
    return client.ReadResponse();
  }
  HttpText Post(std::string_view body, std::string_view if_match, std::string_view query = "") {
    return Ask("POST", StrCat({"/config", query}),
               if_match.empty() ? "" : StrCat({"If-Match: ", if_match, "\r\n"}), body);
  }
  std::string Etag() { return std::string(Ask("GET", "/config").Header("etag").value_or("none")); }
  std::string Say(std::string_view line) {
    RawClient client(driver_, *Address::Parse("unix:" + folder_.Path("admin.sock")));
    client.Send(line);
    client.HalfClose();
    return client.ReadToEnd();
  }
  std::string Answer() {
    RawClient client(driver_, sluice_.Where("web"));
    client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    return client.ReadResponse().body;
  }
  // A worker may be a turn behind.
  bool WaitForAnswer(std::string_view body) {
    return driver_.RunUntil([&] { return Answer() == body; }, "the answer");
  }

  Driver driver_;
  TempFolder folder_;
  SluiceProcess sluice_{driver_, {"run", "-c", folder_.Write("sluice.yaml", Text("one"))}};
};

TEST_F(ConfigAdminTest, PostRollbackAndHistory) {
  const std::string first = Etag();
  EXPECT_EQ(Post(Text("two"), "").status, 428);
  EXPECT_EQ(Post(Text("two"), "\"abc\"").status, 412);
  EXPECT_EQ(Answer(), "one");
  const HttpText done = Post(Text("two"), first, "?reason=a+test");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.body, "reloaded: version 2\n");
  EXPECT_EQ(done.Header("etag"), Etag());
  EXPECT_TRUE(WaitForAnswer("two"));
  EXPECT_EQ(Post(Text("three"), first).status, 412);

  EXPECT_EQ(Ask("POST", "/config/rollback?version=1").body, "reloaded: version 3\n");
  EXPECT_TRUE(WaitForAnswer("one"));
  EXPECT_EQ(Etag(), first);
  EXPECT_THAT(Ask("GET", "/config/history").body,
              MatchesRegex("3  [^\n]*  http  uid [0-9]+, pid [0-9]+  rollback to version 1\n"
                           "2  [^\n]*  http  uid [0-9]+, pid [0-9]+  a test\n1  [^\n]*\n"));
  EXPECT_TRUE(sluice_.WaitForErr("admin: POST /config by uid "));
  Post(Text("two"), first);
  EXPECT_EQ(Say("reload\n"), "reloaded: version 5\n\n");
  EXPECT_TRUE(sluice_.WaitForErr("version 4 (http, uid "));
}

TEST_F(ConfigAdminTest, WhatIsBadChangesNothing) {
  const HttpText bad = Post(Text("two") + "  - name: web2\n    liste: 1\nworker: 3\n", "*");
  EXPECT_EQ(bad.status, 400);
  const nlohmann::json faults = nlohmann::json::parse(bad.body)["faults"];
  EXPECT_THAT(faults.back(), StartsWith("posted:11:1: unknown field \"worker\""));
  EXPECT_THAT(bad.body, HasSubstr("posted:10:5: listeners[1]: unknown field \\\"liste\\\""));
  // Found only when it is tried: not a socket.
  const std::string taken = folder_.Write("taken", "a file");
  const std::string more = StrCat({"  - { name: w, listen: 'unix:", taken, "', routes: [] }\n"});
  EXPECT_EQ(Post(Text("two") + more, "*", "?dry_run=1").status, 200);
  const HttpText refused = Post(Text("two") + more, "*");
  EXPECT_GE(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("not a socket"));
  EXPECT_EQ(Post(Text("two"), "*", "?dry_run=1").body, "it is good; nothing was done\n");
  EXPECT_EQ(Post(std::string((1 << 20) + 1, ' '), "*").status, 413);
  EXPECT_EQ(Post(Text("two") + std::string(200000, '\n'), "*", "?dry_run=1").status, 200);
  EXPECT_EQ(Answer(), "one");
  EXPECT_THAT(Ask("GET", "/config/history").body, StartsWith("1  "));
}

TEST_F(ConfigAdminTest, AsText) {
  EXPECT_THAT(Say("config\n"), HasSubstr("body: one\n"));
  EXPECT_THAT(Say("config origin=\n"), HasSubstr("body: one  # " + folder_.Path("sluice.yaml")));
  EXPECT_THAT(Say("config dry_run=1\n"), StartsWith("error: If-Match must name"));
  EXPECT_THAT(Say("config history\n"), StartsWith("1  "));
  EXPECT_EQ(Say("config rollback version=1\n"), "nothing has changed: version 1 stays\n\n");
}

TEST_F(ConfigAdminTest, NothingShowsTheToken) {
  Post(Text("two"), "*");
  const std::vector<std::string> command = {"config", "diff",    "1",
                                            "2",      "--state", folder_.Path("state")};
  SluiceProcess diff(driver_, command);
  EXPECT_EQ(diff.WaitForExit(), 0);
  const std::string over_http = Ask("GET", "/config/history?diff=1..2").body;
  EXPECT_EQ(over_http, diff.out());
  EXPECT_THAT(over_http, HasSubstr("body: 'two'"));
  for (const std::string& shown :
       {over_http, Ask("GET", "/config?origin").body, Ask("GET", "/config?format=json").body,
        sluice_.err(), Post(Text("'wrong"), "*").body}) {
    EXPECT_THAT(shown, Not(HasSubstr("s3cret")));
  }
}

}  // namespace
}  // namespace sluice::test
