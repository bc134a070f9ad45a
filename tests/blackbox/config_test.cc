// `sluice config`, and what a process keeps of its configurations.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/net/listen_socket.h"
#include "tests/support/raw_client.h"
#include "tests/support/sluice_process.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() { Write("one"); }

  // A configuration whose answer is this, with `top` at its top.
  void Write(std::string_view answer, std::string_view top = "") {
    file_ = folder_.Write("sluice.yaml", Text(answer, top));
  }
  std::string Text(std::string_view answer, std::string_view top = "") const {
    return "workers: 1\nadmin: 127.0.0.1:0\nstats: " + stats_ + "\nstate: { path: " + state_ +
           " }\n" + std::string(top) +
           "\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n    routes: [{ match: /, "
           "respond: { status: 200, body: '" +
           std::string(answer) + "' } }]\n";
  }
  std::unique_ptr<SluiceProcess> Run(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"run", "-c", file_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<SluiceProcess>(driver_, arguments);
  }
  std::unique_ptr<SluiceProcess> Command(const std::vector<std::string>& arguments) {
    auto command = std::make_unique<SluiceProcess>(driver_, arguments);
    command->WaitForExit();
    return command;
  }
  std::unique_ptr<SluiceProcess> Ask(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--stats", stats_});
    return Command(arguments);
  }
  std::string Config(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "config");
    arguments.insert(arguments.end(), {"--state", state_});
    auto command = Command(arguments);
    EXPECT_EQ(command->WaitForExit(), 0) << command->err();
    return command->out();
  }
  // A worker may be a turn behind the command.
  bool WaitForAnswer(const SluiceProcess& sluice, std::string_view body) {
    RawClient client(driver_, sluice.Where("web"));
    return driver_.RunUntil(
        [&] {
          client.Send(kGet);
          return client.ReadResponse().body == body;
        },
        "the answer");
  }

  Driver driver_;
  TempFolder folder_;
  const std::string stats_ = folder_.Path("stats");
  const std::string state_ = folder_.Path("state/deep");
  std::string file_;
};

TEST_F(ConfigTest, HistoryDiffAndRollback) {
  auto sluice = Run();
  ASSERT_TRUE(sluice->WaitUntilReady());
  Write("two");
  EXPECT_EQ(Ask({"reload", "--reason", "because"})->out(), "reloaded: version 2\n");
  EXPECT_TRUE(WaitForAnswer(*sluice, "two"));
  EXPECT_EQ(Ask({"reload"})->out(), "nothing has changed: version 2 stays\n");
  EXPECT_THAT(Config({"history"}),
              MatchesRegex("2  [0-9a-f]{12}  20[0-9T:-]+Z  command  [^ ]+ \\(pid [0-9]+\\)  "
                           "because\n1  [0-9a-f]{12}  20[0-9T:-]+Z  start  [^ ]+\n"));
  EXPECT_THAT(Config({"diff", "1", "2"}), HasSubstr("body: 'one' } }]\n+"));
  EXPECT_EQ(Config({"diff", "2", "2"}), "");

  EXPECT_EQ(Ask({"config", "rollback", "1", "--reason", "worse"})->out(), "reloaded: version 3\n");
  EXPECT_TRUE(WaitForAnswer(*sluice, "one"));
  EXPECT_THAT(Config({"history"}), HasSubstr("rollback to version 1: worse\n2  "));
  auto nothing = Ask({"config", "rollback", "7"});
  EXPECT_EQ(nothing->WaitForExit(), 1);
  EXPECT_TRUE(nothing->WaitForErr("there is no version 7"));
  // The file comes back.
  Ask({"reload"});
  EXPECT_TRUE(sluice->WaitForErr("version 3 (command, "));
  EXPECT_TRUE(sluice->WaitForErr(") gives way to " + file_));
  EXPECT_TRUE(WaitForAnswer(*sluice, "two"));

  sluice->Signal(SIGTERM);
  EXPECT_EQ(sluice->WaitForExit(), 0);
  // Nobody runs: the history can be read all the same.
  EXPECT_THAT(Config({"history"}), StartsWith("4  "));
  EXPECT_EQ(Command({"config", "history", "-c", file_})->out(), Config({"history"}));
  auto unknown = Command({"config", "history", "--id", "nobody"});
  EXPECT_EQ(unknown->WaitForExit(), 1);
  EXPECT_TRUE(unknown->WaitForErr("no history of \"nobody\" in "));
}

TEST_F(ConfigTest, DumpSaysWhatIsInUse) {
  auto sluice = Run();
  ASSERT_TRUE(sluice->WaitUntilReady());
  EXPECT_THAT(Config({"dump"}), HasSubstr("drain_timeout: 1m\n"));
  EXPECT_THAT(Config({"dump", "--origin"}), HasSubstr("body: one  # version 1:9:"));
  Write("two");
  EXPECT_THAT(Config({"dump"}), HasSubstr("body: one\n"));
  EXPECT_THAT(Command({"config", "dump", "-c", file_})->out(), HasSubstr("body: two\n"));
}

// The next process applies its file, and goes on in the same history.
TEST_F(ConfigTest, ARestartGoesOnInTheHistory) {
  auto first = Run();
  ASSERT_TRUE(first->WaitUntilReady());
  Write("two");
  Ask({"reload"});
  EXPECT_EQ(Ask({"config", "rollback", "1"})->out(), "reloaded: version 3\n");
  auto second = Run();
  ASSERT_TRUE(second->WaitUntilReady());
  EXPECT_TRUE(second->WaitForErr("version 3 (command, "));
  EXPECT_EQ(first->WaitForExit(), 0);
  EXPECT_TRUE(WaitForAnswer(*second, "two"));
  EXPECT_THAT(Config({"history"}), StartsWith("4  "));
  auto third = Run();
  ASSERT_TRUE(third->WaitUntilReady());
  EXPECT_EQ(second->WaitForExit(), 0);
  EXPECT_THAT(Config({"history"}), StartsWith("4  "));
}

// What fails on the way leaves nothing open.
TEST_F(ConfigTest, AReloadThatFailsHoldsNothing) {
  auto sluice = Run();
  ASSERT_TRUE(sluice->WaitUntilReady());
  const std::string blocked = folder_.Write("taken", "not a socket");
  const std::string free_socket = folder_.Path("free.sock");
  Write("two");
  const std::string good = ReadWholeFile(file_);
  const auto fds = [&] {
    const std::filesystem::path folder = "/proc/" + std::to_string(sluice->pid()) + "/fd";
    return std::distance(std::filesystem::directory_iterator(folder), {});
  };
  const auto listener = [](std::string_view name, const std::string& at) {
    return "  - name: " + std::string(name) + "\n    listen: 'unix:" + at + "'\n    routes: []\n";
  };
  const std::string bad = good + listener("free", free_socket) + listener("bad", blocked);
  folder_.Write("sluice.yaml", bad);
  ASSERT_EQ(Ask({"reload"})->WaitForExit(), 1);
  const auto before = fds();
  for (int i = 0; i < 3; ++i) {
    auto refused = Ask({"reload"});
    EXPECT_EQ(refused->WaitForExit(), 1);
    EXPECT_TRUE(refused->WaitForErr("the file exists and is not a socket"));
  }
  // The last command's connection may outlive its answer by a turn.
  EXPECT_TRUE(driver_.RunUntil([&] { return fds() <= before; }, "what was opened to be closed"));
  EXPECT_NE(access(free_socket.c_str(), F_OK), 0);
  EXPECT_EQ(ReadWholeFile(blocked), "not a socket");
  EXPECT_TRUE(WaitForAnswer(*sluice, "one"));
  EXPECT_THAT(Config({"history"}), StartsWith("1  "));
}

TEST_F(ConfigTest, WithoutAFolderItRunsOn) {
  folder_.Write("state", "a file");
  auto sluice = Run();
  ASSERT_TRUE(sluice->WaitUntilReady());
  EXPECT_TRUE(sluice->WaitForErr("warning config: configurations are not kept: history "));
  Write("two");
  EXPECT_EQ(Ask({"reload"})->out(), "reloaded: version 2\n");
  EXPECT_TRUE(WaitForAnswer(*sluice, "two"));
  auto back = Ask({"config", "rollback", "1"});
  EXPECT_EQ(back->WaitForExit(), 1);
  EXPECT_TRUE(back->WaitForErr("this process keeps no configurations"));
}

TEST_F(ConfigTest, TheHistoryIsTheUsersWhomItBecomes) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: becomes another user";
  const uid_t nobody = FindUser("nobody").value();
  ASSERT_EQ(chown(folder_.path().c_str(), nobody, static_cast<gid_t>(-1)), 0);
  Write("one", "user: nobody");
  auto sluice = Run();
  ASSERT_TRUE(sluice->WaitUntilReady());
  Write("two", "user: nobody");
  EXPECT_EQ(Ask({"reload"})->out(), "reloaded: version 2\n");
  EXPECT_THAT(sluice->err(), Not(HasSubstr("warning")));
  struct stat about {};
  ASSERT_EQ(stat((state_ + "/configs/2.json").c_str(), &about), 0);
  EXPECT_EQ(about.st_uid, nobody);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
  ASSERT_EQ(stat((state_ + "/configs").c_str(), &about), 0);
  EXPECT_EQ(about.st_uid, nobody);
  EXPECT_EQ(about.st_mode & 0777, 0700U);
}

// A configuration that answers errors is gone back from while they come.
TEST_F(ConfigTest, TheGuardGoesBack) {
  constexpr std::string_view kGuard = "guard: { window: 1m, before: 1m, min_responses: 5 }";
  Write("one", kGuard);
  auto sluice = Run();
  ASSERT_TRUE(sluice->WaitUntilReady());
  EXPECT_TRUE(WaitForAnswer(*sluice, "one"));
  std::string bad = Text("two", kGuard);
  bad.replace(bad.find("status: 200"), 11, "status: 503");
  folder_.Write("sluice.yaml", bad);
  EXPECT_EQ(Ask({"reload"})->out(), "reloaded: version 2\n");
  RawClient client(driver_, sluice->Where("web"));
  // Its users see errors until it is gone back from; then no more.
  EXPECT_TRUE(driver_.RunUntil(
      [&] {
        client.Send(kGet);
        client.ReadResponse();
        return sluice->err().find("error guard: ") != std::string::npos;
      },
      "the guard"));
  EXPECT_TRUE(WaitForAnswer(*sluice, "one"));
  EXPECT_TRUE(sluice->WaitForErr("error guard: rolled back to version 1, as version 3: "));
  EXPECT_THAT(Config({"history"}),
              MatchesRegex("3  [0-9a-f]{12}  20[0-9T:-]+Z  guard  guard  rollback to version 1: "
                           "[0-9]+ of [0-9]+ responses .* were 5xx within .*\n2  .*\n1  .*\n"));
}

TEST_F(ConfigTest, AWatchedFileIsUsedWhenItChanges) {
  const std::string secret = folder_.Write("secret", "a-secret");
  auto sluice = Run({"--watch"});
  ASSERT_TRUE(sluice->WaitUntilReady());
  const auto replace = [&](std::string_view answer) {  // as editors do
    std::filesystem::rename(folder_.Write("sluice.yaml.new", Text(answer)), file_);
  };
  replace("two");
  EXPECT_TRUE(WaitForAnswer(*sluice, "two"));
  EXPECT_TRUE(sluice->WaitForErr("reloaded: version 2 (watch, watch: changed: " + file_ + ")"));
  folder_.Write("sluice.yaml", "listeners: 7");
  EXPECT_TRUE(sluice->WaitForErr("error config: nothing is changed (watch, watch: changed: "));
  EXPECT_TRUE(WaitForAnswer(*sluice, "two"));
  replace("${file:" + secret + "}");
  EXPECT_TRUE(WaitForAnswer(*sluice, "a-secret"));
  folder_.Write("secret", "another-secret");
  EXPECT_TRUE(WaitForAnswer(*sluice, "another-secret"));

  // The next process watches, the one before does not any more.
  EXPECT_EQ(Ask({"restart"})->WaitForExit(), 0);
  EXPECT_TRUE(driver_.RunUntil([&] { return sluice->exited(); }, "the first's end"));
  replace("three");
  EXPECT_TRUE(WaitForAnswer(*sluice, "three"));
  EXPECT_EQ(Ask({"stop"})->WaitForExit(), 0);
}

TEST_F(ConfigTest, SecretsAreReadAgainAndNeverShown) {
  const std::string secret = folder_.Write("secret", "first-secret\n");
  Write("${file:" + secret + "}");
  auto sluice = Run();
  ASSERT_TRUE(sluice->WaitUntilReady());
  EXPECT_TRUE(WaitForAnswer(*sluice, "first-secret"));
  folder_.Write("secret", "second-secret\n");
  EXPECT_EQ(Ask({"reload"})->out(), "reloaded: version 1\n");
  EXPECT_TRUE(WaitForAnswer(*sluice, "second-secret"));
  EXPECT_THAT(Config({"dump", "--origin"}), HasSubstr("secret file " + secret));
  EXPECT_THAT(Config({"dump", "--origin"}), Not(HasSubstr("-secret\n")));
  ASSERT_EQ(unlink(secret.c_str()), 0);
  auto refused = Ask({"reload"});
  EXPECT_TRUE(refused->WaitForErr("sluice.yaml:9:"));
  EXPECT_TRUE(refused->WaitForErr("secret file " + secret + ": open: No such file"));
  EXPECT_TRUE(WaitForAnswer(*sluice, "second-secret"));
  for (const std::string_view shown : {"first-secret", "second-secret"}) {
    EXPECT_THAT(sluice->err(), Not(HasSubstr(shown)));
    EXPECT_THAT(ReadWholeFile(state_ + "/configs/1.json"), Not(HasSubstr(shown)));
  }
}

TEST_F(ConfigTest, TheLastGoodOneIfTheFileIsBad) {
  const std::vector<std::string> last_good = {"--last-good", "--state", state_};
  {
    auto sluice = Run(last_good);
    ASSERT_TRUE(sluice->WaitUntilReady());
    EXPECT_THAT(Ask({"stats", "--filter", "config_last_good"})->out(), HasSubstr(" 0\n"));
    Write("two");
    EXPECT_EQ(Ask({"reload"})->out(), "reloaded: version 2\n");
    folder_.Write("sluice.yaml", "workers: many\nlistener: []\n");
    // Who asks for a restart hears what is wrong.
    auto refused = Ask({"restart"});
    EXPECT_EQ(refused->WaitForExit(), 1);
    EXPECT_TRUE(WaitForAnswer(*sluice, "two"));
    sluice->Signal(SIGTERM);
    EXPECT_EQ(sluice->WaitForExit(), 0);
  }
  auto without = Run();
  EXPECT_EQ(without->WaitForExit(), 1);
  auto sluice = Run(last_good);
  ASSERT_TRUE(sluice->WaitUntilReady());
  EXPECT_TRUE(sluice->WaitForErr("warning config: " + file_ + ":1:10: workers: "));
  EXPECT_TRUE(sluice->WaitForErr("warning config: " + file_ + ":2:1: unknown field"));
  EXPECT_TRUE(sluice->WaitForErr("warning config: " + file_ +
                                 " is bad: started from the last good configuration, "
                                 "version 2\n"));
  EXPECT_TRUE(WaitForAnswer(*sluice, "two"));
  EXPECT_THAT(Ask({"stats", "--filter", "config_last_good"})->out(), HasSubstr(" 1\n"));
  EXPECT_THAT(Config({"history"}), StartsWith("2  "));
  EXPECT_EQ(Ask({"reload"})->WaitForExit(), 1);
  Write("three");
  EXPECT_EQ(Ask({"reload"})->out(), "reloaded: version 3\n");
  EXPECT_TRUE(WaitForAnswer(*sluice, "three"));
  EXPECT_THAT(Ask({"stats", "--filter", "config_last_good"})->out(), HasSubstr(" 0\n"));
}

TEST_F(ConfigTest, WithoutAGoodOneABadFileIsAnError) {
  folder_.Write("sluice.yaml", "workers: many\n");
  auto sluice = Run({"--last-good", "--state", state_});
  EXPECT_EQ(sluice->WaitForExit(), 1);
  EXPECT_TRUE(sluice->WaitForErr(file_ + ":1:10: workers: "));
  EXPECT_TRUE(sluice->WaitForErr("sluice: no good configuration of " + file_ + " in "));
}

}  // namespace
}  // namespace sluice::test
