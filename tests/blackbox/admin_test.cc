// The admin API of the real binary: its pages and actions over HTTP and as text, and the examples
// of its README.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>

#include "core/base/strings.h"
#include "tests/support/raw_client.h"
#include "tests/support/scripted_upstream.h"
#include "tests/support/sluice_process.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class AdminTest : public testing::Test {
 protected:
  AdminTest() { upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); }

  std::string Socket() const { return folder_.path() + "/admin.sock"; }
  std::string Config(std::string_view token = "") {
    return folder_.Write(
        "admin.yaml",
        StrCat(
            {"admin: { listen: [127.0.0.1:0, 'unix:", Socket(), "']", token, " }\n",
             "workers: 2\nstats: ", folder_.path(), "/stats\nstate: { path: ", folder_.path(),
             "/state }\n", "listeners:\n", "  - name: web\n    listen: 127.0.0.1:0\n",
             "    filters: [{ cors: { origins: ['https://a.example'] } }, { health_answer: {} }]\n",
             "    routes: [{ match: /, cluster: app }]\n", "clusters: [{ name: app, endpoints: [",
             upstream_.text(), "] }]\n"}));
  }

  HttpText Ask(const SluiceProcess& sluice, std::string_view method, std::string_view target,
               std::string_view fields = "") {
    RawClient client(driver_, sluice.Where("admin"));
    client.Send(StrCat({method, " ", target, " HTTP/1.1\r\nHost: localhost\r\n", fields,
                        method == "POST" ? "Content-Length: 0\r\n" : "", "\r\n"}));
    return client.ReadResponse();
  }
  nlohmann::json Json(const SluiceProcess& sluice, std::string_view target) {
    return nlohmann::json::parse(Ask(sluice, "GET", target, "Accept: application/json\r\n").body);
  }
  std::string Say(std::string_view text) {
    RawClient client(driver_, *Address::Parse("unix:" + Socket()));
    client.Send(text);
    client.HalfClose();
    return client.ReadToEnd();
  }
  HttpText Get(RawClient& client) {
    client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    return client.ReadResponse();
  }

  Driver driver_;
  TempFolder folder_;
  ScriptedUpstream upstream_{driver_};
};

TEST_F(AdminTest, PagesShowWhatRuns) {
  SluiceProcess sluice(driver_, {"run", "-c", Config()});
  ASSERT_TRUE(sluice.WaitUntilReady());
  RawClient client(driver_, sluice.Where("web"));
  EXPECT_EQ(Get(client).status, 200);

  const nlohmann::json server = Json(sluice, "/server");
  EXPECT_EQ(server["state"], "LIVE");
  EXPECT_EQ(server["workers"].size(), 2U);
  EXPECT_EQ(server["workers"][0]["answers"], true);
  EXPECT_GT(server["limits"]["fds"], 0);
  EXPECT_GT(server["limits"]["fds_open"], 0);

  const nlohmann::json listeners = Json(sluice, "/listeners");
  EXPECT_EQ(listeners[0]["name"], "web");
  EXPECT_EQ(listeners[0]["sockets"], 2);
  EXPECT_EQ(listeners[0]["connections"], 1);
  EXPECT_EQ(listeners[0]["filters"], (nlohmann::json{"cors", "health_answer"}));
  EXPECT_EQ(listeners[2]["address"], "unix:" + Socket());

  const nlohmann::json clusters = Json(sluice, "/clusters");
  const nlohmann::json& endpoint = clusters[0]["endpoints"][0];
  EXPECT_EQ(endpoint["address"], upstream_.text());
  EXPECT_EQ(endpoint["state"], "enabled");
  EXPECT_EQ(endpoint["connections"], 1);
  EXPECT_EQ(endpoint["requests_active"], 0);
  EXPECT_EQ(endpoint["requests_total"], 1);
  EXPECT_EQ(Ask(sluice, "GET", "/clusters?name=other").status, 404);

  const nlohmann::json connections = Json(sluice, "/connections?sort=age&limit=1");
  EXPECT_EQ(connections["open"], 1);
  EXPECT_EQ(connections["connections"][0]["requests"], 1);
  EXPECT_GT(connections["connections"][0]["received_bytes"], 10);
  EXPECT_EQ(connections["connections"][0]["idle"], true);
  EXPECT_EQ(Ask(sluice, "GET", "/connections?sort=name").status, 400);
  EXPECT_EQ(Ask(sluice, "GET", "/connections?limit=0").status, 400);

  const nlohmann::json memory = Json(sluice, "/memory");
  EXPECT_GT(memory["resident_bytes"], 1000000);
  EXPECT_GT(memory["stats"]["series"], 100);
  EXPECT_EQ(memory["threads"].size(), 3U);
}

TEST_F(AdminTest, DrainAndUndrain) {
  SluiceProcess sluice(driver_, {"run", "-c", Config()});
  ASSERT_TRUE(sluice.WaitUntilReady());
  RawClient before(driver_, sluice.Where("web"));
  EXPECT_EQ(Get(before).Header("connection"), std::nullopt);
  EXPECT_EQ(Ask(sluice, "POST", "/drain").body, "draining; /undrain takes it back\n");
  EXPECT_EQ(Ask(sluice, "GET", "/ready").status, 503);
  EXPECT_EQ(Json(sluice, "/server")["out_of_service"], true);
  // The first step of the spread asks one connection of each worker.
  EXPECT_EQ(Get(before).Header("connection"), "close");
  RawClient later(driver_, sluice.Where("web"));
  EXPECT_EQ(Get(later).status, 200);
  EXPECT_EQ(Ask(sluice, "POST", "/undrain").status, 200);
  EXPECT_EQ(Ask(sluice, "GET", "/ready").status, 200);
  EXPECT_TRUE(sluice.WaitForErr("admin: POST /drain by 127.0.0.1:"));
}

TEST_F(AdminTest, ADrainedEndpointStaysSoOverReloadAndRestart) {
  SluiceProcess sluice(driver_, {"run", "-c", Config()});
  ASSERT_TRUE(sluice.WaitUntilReady());
  const std::string which = "cluster=app address=" + upstream_.text();
  EXPECT_EQ(Say("endpoints drain " + which), upstream_.text() + " of app is drained\n\n");
  const auto state = [&] {
    return Json(sluice, "/clusters")[0]["endpoints"][0]["state"].get<std::string>();
  };
  EXPECT_EQ(state(), "drained");
  RawClient client(driver_, sluice.Where("web"));
  EXPECT_EQ(Get(client).status, 503);
  EXPECT_THAT(Ask(sluice, "GET", "/metrics").body,
              HasSubstr("sluice_upstream_endpoints_drained{cluster=\"app\"} 1\n"));
  const std::string config = Config();
  folder_.Write("admin.yaml", ReadWholeFile(config) + "runtime: { canary: 1% }\n");
  EXPECT_EQ(Say("reload"), "reloaded: version 2\n\n");
  EXPECT_EQ(state(), "drained");

  const HttpText restarted = Ask(sluice, "POST", "/restart");
  EXPECT_EQ(restarted.status, 200) << restarted.body;
  EXPECT_THAT(restarted.body, testing::MatchesRegex("process [0-9]+ serves\n"));
  EXPECT_EQ(state(), "drained");
  EXPECT_EQ(Say("endpoints enable " + which), upstream_.text() + " of app is enabled\n\n");
  RawClient again(driver_, sluice.Where("web"));
  EXPECT_EQ(Get(again).status, 200);
  EXPECT_EQ(Say("stop"), "draining, then it ends\n\n");
}

TEST_F(AdminTest, ATokenButNotForProbesAndTheSocketFile) {
  SluiceProcess sluice(driver_, {"run", "-c", Config(", token: secret-token")});
  ASSERT_TRUE(sluice.WaitUntilReady());
  EXPECT_EQ(Ask(sluice, "GET", "/ready").status, 200);
  EXPECT_EQ(Ask(sluice, "GET", "/live").status, 200);
  const HttpText refused = Ask(sluice, "GET", "/metrics");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.Header("www-authenticate"), "Bearer");
  EXPECT_EQ(Ask(sluice, "POST", "/stop", "Authorization: Bearer secret\r\n").status, 401);
  EXPECT_EQ(Ask(sluice, "GET", "/metrics", "Authorization: Bearer secret-token\r\n").status, 200);
  EXPECT_EQ(Say("ready"), "LIVE\n\n");
  struct stat status {};
  ASSERT_EQ(stat(Socket().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(AdminTest, APublicAddressWithoutATokenIsRefused) {
  const std::string config =
      folder_.Write("public.yaml",
                    "admin: 0.0.0.0:0\nlisteners: [{ name: a, listen: 127.0.0.1:0, routes: [{ "
                    "match: /, respond: 200 }] }]\n");
  for (const char* command : {"check", "run"}) {
    SluiceProcess sluice(driver_, {command, "-c", config});
    EXPECT_NE(sluice.WaitForExit(), 0);
    EXPECT_TRUE(
        sluice.WaitForErr("public.yaml:1:8: admin.listen: \"0.0.0.0:0\" is open to "
                          "others than this machine: add `token:"));
  }
}

TEST_F(AdminTest, ActionsFromWebPagesAreRefused) {
  SluiceProcess sluice(driver_, {"run", "-c", Config()});
  ASSERT_TRUE(sluice.WaitUntilReady());
  EXPECT_EQ(Ask(sluice, "GET", "/stop").status, 405);
  EXPECT_EQ(Ask(sluice, "POST", "/stop", "Origin: https://evil.example\r\n").status, 403);
  EXPECT_EQ(Ask(sluice, "POST", "/stop", "Sec-Fetch-Site: cross-site\r\n").status, 403);
  RawClient rebound(driver_, sluice.Where("admin"));
  rebound.Send("POST /stop HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(rebound.ReadResponse().status, 403);
  EXPECT_EQ(Ask(sluice, "GET", "/ready").status, 200);
}

std::string Replace(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// The curl lines and the Python program.
TEST_F(AdminTest, TheReadmesExamples) {
  SluiceProcess sluice(driver_, {"run", "-c", Config()});
  ASSERT_TRUE(sluice.WaitUntilReady());
  std::ifstream in(SLUICE_SOURCE_DIR "/core/server/admin/README.md");
  std::stringstream whole;
  whole << in.rdbuf();
  std::string readme = Replace(whole.str(), "127.0.0.1:9901", sluice.Where("admin").ToString());
  readme = Replace(readme, "127.0.0.1:9001", upstream_.text());
  readme = Replace(readme, "/tmp/sluice-admin.sock", Socket());
  readme = Replace(readme, "conf/admin.yaml", folder_.Path("admin.yaml"));

  const auto run = [this](const std::string& command) {
    Process process(driver_, "/bin/sh", {"-c", command});
    EXPECT_EQ(process.WaitForExit(), 0) << command << process.err();
    EXPECT_NE(process.out(), "") << command;
    EXPECT_THAT(process.out(), Not(testing::ContainsRegex("(^|[{ \\n])\"?error\"?:"))) << command;
  };
  int count = 0;
  std::istringstream lines(readme);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("curl ")) continue;
    ++count;
    run(line);
  }
  EXPECT_GE(count, 10);

  const size_t begin = readme.find("```python\n") + 10;
  const std::string program = readme.substr(begin, readme.find("```", begin) - begin);
  run("python3 " + folder_.Write("ask.py", program));
}

}  // namespace
}  // namespace sluice::test
