// The commands besides `run`, and what is wrong on command lines.
#include <gmock/gmock.h>
#include <signal.h>

#include <string>

#include "tests/support/raw_client.h"
#include "tests/support/sluice_process.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

TEST(CommandsTest, Version) {
  Driver driver;
  SluiceProcess sluice(driver, {"version"});
  EXPECT_EQ(sluice.WaitForExit(), 0);
  EXPECT_THAT(sluice.out(), MatchesRegex("sluice [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(CommandsTest, FiltersListsThem) {
  Driver driver;
  SluiceProcess sluice(driver, {"filters"});
  EXPECT_EQ(sluice.WaitForExit(), 0);
  EXPECT_THAT(sluice.out(), StartsWith("access_log\nbuffer\ncors\n"));
}

TEST(CommandsTest, AWrongCommandLineIsOneLine) {
  const std::string kCommands =
      "run, check, reload, restart, stop, stats, top, config, echo, filters, version";
  Driver driver;
  SluiceProcess nothing(driver, {});
  EXPECT_EQ(nothing.WaitForExit(), 1);
  EXPECT_EQ(nothing.err(), "sluice: expected a command: " + kCommands + "\n");
  SluiceProcess unknown(driver, {"fly"});
  EXPECT_EQ(unknown.WaitForExit(), 1);
  EXPECT_EQ(unknown.err(), "sluice: there is no command \"fly\"; there are " + kCommands + "\n");
  SluiceProcess no_file(driver, {"run"});
  EXPECT_EQ(no_file.WaitForExit(), 1);
  EXPECT_THAT(no_file.err(), MatchesRegex("sluice: [^\n]*--config[^\n]*\n"));
}

TEST(CommandsTest, AFileThatIsNotThere) {
  Driver driver;
  SluiceProcess sluice(driver, {"run", "-c", "/nowhere/sluice.yaml"});
  EXPECT_EQ(sluice.WaitForExit(), 1);
  EXPECT_EQ(sluice.err(), "/nowhere/sluice.yaml: open: No such file or directory\n");
}

TEST(CommandsTest, CheckSaysWhatWouldRun) {
  Driver driver;
  SluiceProcess sluice(driver, {"check", "-c", SLUICE_SOURCE_DIR "/conf/minimal.yaml"});
  EXPECT_EQ(sluice.WaitForExit(), 0);
  EXPECT_EQ(sluice.err(), "");
  EXPECT_THAT(sluice.out(), HasSubstr("web  127.0.0.1:8080\n"));
  EXPECT_THAT(sluice.out(), HasSubstr("filters: cors > headers > router\n"));
}

TEST(CommandsTest, CheckTellsAllErrorsAtOnce) {
  Driver driver;
  TempFolder folder;
  const std::string file = folder.Write("bad.yaml",
                                        "listeners:\n"
                                        "  - name: web\n"
                                        "    listen: 127.0.0.1:0\n"
                                        "    rutes: []\n"
                                        "    routes:\n"
                                        "      - { match: { prefix: / }, cluster: nobody }\n");
  SluiceProcess check(driver, {"check", "-c", file});
  EXPECT_EQ(check.WaitForExit(), 1);
  EXPECT_EQ(check.out(), "");
  EXPECT_TRUE(check.WaitForErr(file + ":4:5: listeners[0]: unknown field \"rutes\""));
  EXPECT_TRUE(check.WaitForErr("(did you mean \"routes\"?)"));
  EXPECT_TRUE(check.WaitForErr(file + ":6:42: listeners[0].routes[0].cluster: "));
  EXPECT_TRUE(check.WaitForErr("nobody"));
  SluiceProcess run(driver, {"run", "-c", file});
  EXPECT_EQ(run.WaitForExit(), 1);
  EXPECT_EQ(run.err(), check.err());
}

// What only the filter can find has its place too, and does not hide the rest.
TEST(CommandsTest, CheckTellsWhatFiltersFindWrong) {
  Driver driver;
  TempFolder folder;
  const std::string file = folder.Write("bad.yaml",
                                        "listeners:\n"
                                        "  - name: web\n"
                                        "    listen: 127.0.0.1:0\n"
                                        "    filters:\n"
                                        "      - headers: {}\n"
                                        "      - headers\n"
                                        "    routes:\n"
                                        "      - match: { prefix: / }\n"
                                        "        respond: { status: 200 }\n");
  SluiceProcess sluice(driver, {"check", "-c", file});
  EXPECT_EQ(sluice.WaitForExit(), 1);
  EXPECT_TRUE(sluice.WaitForErr(file + ":5:18: listeners[0].filters[0].headers: "));
  EXPECT_TRUE(sluice.WaitForErr(file + ":6:9: listeners[0].filters[1].headers: "));
}

// What this machine lacks is told too, by both.
TEST(CommandsTest, CheckRefusesWhatRunWould) {
  Driver driver;
  TempFolder folder;
  const std::string file =
      folder.Write("bad.yaml",
                   "user: nobody-of-this-name\n"
                   "log: { path: " +
                       folder.Path("no/server.log") +
                       " }\n"
                       "listeners:\n"
                       "  - name: web\n"
                       "    listen: 127.0.0.1:0\n"
                       "    filters: [{ access_log: { path: " +
                       folder.Path("no/access.log") +
                       " } }]\n"
                       "    request_headers: { set: { x-a: '%nothing%' } }\n"
                       "    routes: [{ match: { prefix: / }, respond: { status: 200 } }]\n");
  SluiceProcess check(driver, {"check", "-c", file});
  EXPECT_EQ(check.WaitForExit(), 1);
  EXPECT_EQ(check.out(), "");
  EXPECT_TRUE(check.WaitForErr(file + ":1:7: user: there is no user "));
  EXPECT_TRUE(check.WaitForErr(file + ":2:14: log.path: open "));
  EXPECT_TRUE(check.WaitForErr(file + ":6:37: listeners[0].filters[0].access_log.path: "));
  EXPECT_TRUE(check.WaitForErr(file + ":7:36: listeners[0].request_headers.set[0]: x-a: "));
  SluiceProcess run(driver, {"run", "-c", file});
  EXPECT_EQ(run.WaitForExit(), 1);
  EXPECT_EQ(run.err(), check.err());
}

TEST(CommandsTest, EchoListensInSeveralPlaces) {
  Driver driver;
  TempFolder folder;
  SluiceProcess sluice(
      driver, {"echo", "--listen", "127.0.0.1:0", "unix:" + folder.Path("echo.sock"), "--name",
               "one", "--workers", "2"});
  ASSERT_TRUE(sluice.WaitUntilReady());
  for (const std::string_view listener : {"echo", "echo-2"}) {
    RawClient client(driver, sluice.Where(listener));
    client.Send("GET /a/../b HTTP/1.1\r\nHost: a\r\nX-Sluice-Mine: 1\r\n\r\n");
    const HttpText response = client.ReadResponse();
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(response.body, HasSubstr("\"name\": \"one\""));
    EXPECT_THAT(response.body, HasSubstr("\"path\": \"/a/../b\""));
    EXPECT_THAT(response.body, HasSubstr("\"X-Sluice-Mine\": \"1\""));
  }
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
}

TEST(CommandsTest, EchoRefusesWhatIsNoAddress) {
  Driver driver;
  SluiceProcess sluice(driver, {"echo", "--listen", "here"});
  EXPECT_EQ(sluice.WaitForExit(), 1);
  EXPECT_THAT(sluice.err(), MatchesRegex("sluice: --listen: [^\n]*here[^\n]*\n"));
}

}  // namespace
}  // namespace sluice::test
