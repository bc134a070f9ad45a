// Hot restarts and reloads of the real binary.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/raw_client.h"
#include "tests/support/scripted_upstream.h"
#include "tests/support/sluice_process.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class RestartTest : public testing::Test {
 protected:
  RestartTest() { WriteConfig(); }
  // Processes that others started are not this one's children.
  ~RestartTest() override {
    if (started_by_others_) Command("stop");
  }

  // Writes the configuration anew, with this at the top of it.
  void WriteConfig(std::string_view top = "", std::string_view workers = "2",
                   std::string_view route = "{ match: { prefix: / }, cluster: app }") {
    file_ = folder_.Write(
        "sluice.yaml",
        "workers: " + std::string(workers) + "\nstats: " + stats_ + "\n" + std::string(top) +
            "\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n    routes: [" +
            std::string(route) + "]\n  - name: local\n    listen: 'unix:" +
            folder_.Path("web.sock") + "'\n    routes: [" + std::string(route) +
            "]\nclusters:\n  - { name: app, endpoints: [" + upstream_.text() + "] }\n");
  }

  std::unique_ptr<SluiceProcess> Run(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"run", "-c", file_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<SluiceProcess>(driver_, arguments);
  }
  std::unique_ptr<SluiceProcess> Command(std::string name) {
    auto command = std::make_unique<SluiceProcess>(
        driver_, std::vector<std::string>{std::move(name), "--stats", stats_});
    command->WaitForExit();
    return command;
  }
  std::string Get(RawClient& client) {
    client.Send(kGet);
    return client.ReadResponse().body;
  }

  Driver driver_;
  TempFolder folder_;
  ScriptedUpstream upstream_{driver_};
  const std::string stats_ = folder_.Path("stats");
  std::string file_;
  bool started_by_others_ = false;
};

TEST_F(RestartTest, ASecondRunTakesOver) {
  upstream_.AlwaysAnswer(kOk);
  // The first may still have accepted a client that stays idle: half of it, and it is let go.
  WriteConfig("drain_timeout: 4s");
  auto first = Run();
  ASSERT_TRUE(first->WaitUntilReady());
  const Address web = first->Where("web");
  RawClient kept(driver_, web);
  EXPECT_EQ(Get(kept), "ok");

  auto second = Run();
  ASSERT_TRUE(second->WaitUntilReady());
  ASSERT_TRUE(first->WaitForErr(" serves; draining"));
  EXPECT_EQ(second->Where("web"), web);  // the same sockets
  RawClient fresh(driver_, web);
  EXPECT_EQ(Get(fresh), "ok");
  RawClient local(driver_, second->Where("local"));
  EXPECT_EQ(Get(local), "ok");
  // The client that was connected is asked to come again, and loses nothing.
  kept.Send(kGet);
  const HttpText last = kept.ReadResponse();
  EXPECT_EQ(last.body, "ok");
  EXPECT_EQ(last.Header("connection"), "close");
  EXPECT_EQ(first->WaitForExit(), 0);
  ASSERT_TRUE(second->WaitForErr(" is gone"));
  RawClient later(driver_, web);
  EXPECT_EQ(Get(later), "ok");
  second->Signal(SIGTERM);
  EXPECT_EQ(second->WaitForExit(), 0);
  EXPECT_NE(access(folder_.Path("web.sock").c_str(), F_OK), 0);
  EXPECT_NE(access((stats_ + ".sock").c_str(), F_OK), 0);
}

TEST_F(RestartTest, WorkersMayBeMoreOrFewerThanBefore) {
  upstream_.AlwaysAnswer(kOk);
  WriteConfig("", "3");
  auto first = Run();
  ASSERT_TRUE(first->WaitUntilReady());
  const Address web = first->Where("web");
  for (const std::string_view workers : {"1", "4", "2"}) {
    WriteConfig("", workers);
    auto next = Run();
    ASSERT_TRUE(next->WaitUntilReady());
    EXPECT_EQ(first->WaitForExit(), 0);
    // The kernel spreads connections over all sockets: each is accepted from.
    for (int i = 0; i < 40; ++i) {
      RawClient client(driver_, web);
      EXPECT_EQ(Get(client), "ok") << workers << " workers, client " << i;
    }
    first = std::move(next);
  }
}

TEST_F(RestartTest, ANewProcessThatCannotStartHarmsNobody) {
  upstream_.AlwaysAnswer(kOk);
  auto first = Run();
  ASSERT_TRUE(first->WaitUntilReady());
  RawClient kept(driver_, first->Where("web"));
  EXPECT_EQ(Get(kept), "ok");
  const std::string blocked = folder_.Write("taken", "not a socket");
  WriteConfig("admin: 'unix:" + blocked + "'");
  auto second = Run();
  EXPECT_EQ(second->WaitForExit(), 1);
  EXPECT_TRUE(second->WaitForErr("the file exists and is not a socket"));
  ASSERT_TRUE(first->WaitForErr("the restart has failed, this process goes on"));
  EXPECT_TRUE(first->WaitForErr("the file exists and is not a socket"));
  EXPECT_EQ(Get(kept), "ok");
  RawClient local(driver_, first->Where("local"));
  EXPECT_EQ(Get(local), "ok");
}

TEST_F(RestartTest, TheCommandSaysHowItWent) {
  upstream_.AlwaysAnswer(kOk);
  auto first = Run();
  ASSERT_TRUE(first->WaitUntilReady());
  const Address web = first->Where("web");
  WriteConfig("drain_timeout: 1s\n", "2", "{ matsch: { prefix: / }, cluster: app }");
  auto failed = Command("restart");
  EXPECT_EQ(failed->WaitForExit(), 1);
  EXPECT_TRUE(failed->WaitForErr("the new process: "));
  EXPECT_TRUE(failed->WaitForErr("unknown field \"matsch\""));
  EXPECT_TRUE(first->WaitForErr("unknown field \"matsch\""));

  WriteConfig();
  started_by_others_ = true;
  auto restarted = Command("restart");
  EXPECT_EQ(restarted->WaitForExit(), 0) << restarted->err();
  EXPECT_THAT(restarted->out(), HasSubstr(" serves\n"));
  // Its output is the successor's too, and stays open.
  EXPECT_TRUE(driver_.RunUntil([&] { return first->exited(); }, "the first's end"));
  RawClient client(driver_, web);
  EXPECT_EQ(Get(client), "ok");
  auto stopped = Command("stop");
  EXPECT_EQ(stopped->WaitForExit(), 0);
  EXPECT_EQ(stopped->out(), "it has ended\n");
  started_by_others_ = false;
  auto nobody = Command("stop");
  EXPECT_EQ(nobody->WaitForExit(), 1);
  EXPECT_TRUE(nobody->WaitForErr("no process runs as"));
}

TEST_F(RestartTest, TheOldProcessComesBackWhenTheNewOneDies) {
  upstream_.AlwaysAnswer(kOk);
  auto first = Run();
  ASSERT_TRUE(first->WaitUntilReady());
  const Address web = first->Where("web");
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  RawClient held(driver_, web);  // so that the first does not end
  held.Send(kGet);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  auto second = Run();
  ASSERT_TRUE(second->WaitUntilReady());
  ASSERT_TRUE(first->WaitForErr(" serves; draining"));
  second->Signal(SIGKILL);
  EXPECT_EQ(second->WaitForExit(), 128 + SIGKILL);
  ASSERT_TRUE(first->WaitForErr("accepting again"));
  {
    RawClient client(driver_, web);
    EXPECT_EQ(Get(client), "ok");
  }
  // And can be taken over from again.
  auto third = Run();
  ASSERT_TRUE(third->WaitUntilReady());
  upstream_.connection(0).Release();
  EXPECT_EQ(held.ReadResponse().body, "ok");
  EXPECT_EQ(first->WaitForExit(), 0);
  RawClient last(driver_, web);
  EXPECT_EQ(Get(last), "ok");
}

TEST_F(RestartTest, AThirdIsRefusedWhileTwoLive) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  auto first = Run();
  ASSERT_TRUE(first->WaitUntilReady());
  RawClient held(driver_, first->Where("web"));
  held.Send(kGet);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  auto second = Run();
  ASSERT_TRUE(second->WaitUntilReady());
  ASSERT_TRUE(first->WaitForErr(" serves; draining"));
  auto third = Run();
  EXPECT_EQ(third->WaitForExit(), 1);
  EXPECT_TRUE(third->WaitForErr("still drains for the restart before"));
  EXPECT_TRUE(third->WaitForErr("--force ends it now"));
  EXPECT_FALSE(first->exited());

  auto forced = Run({"--force"});
  ASSERT_TRUE(forced->WaitUntilReady());
  first->WaitForExit();
  EXPECT_EQ(second->WaitForExit(), 0);
  upstream_.AlwaysAnswer(kOk);
  RawClient client(driver_, forced->Where("web"));
  EXPECT_EQ(Get(client), "ok");
}

TEST_F(RestartTest, ASupervisorKeepsItsPid) {
  upstream_.AlwaysAnswer(kOk);
  auto supervisor = Run({"--supervise"});
  ASSERT_TRUE(supervisor->WaitUntilReady());
  const Address web = supervisor->Where("web");
  for (int i = 0; i < 2; ++i) {
    auto restarted = Command("restart");
    EXPECT_EQ(restarted->WaitForExit(), 0) << restarted->err();
    RawClient client(driver_, web);
    EXPECT_EQ(Get(client), "ok");
    ASSERT_TRUE(supervisor->WaitForErr(" is gone"));
  }
  EXPECT_FALSE(supervisor->exited());
  supervisor->Signal(SIGTERM);  // passed on to whoever serves
  EXPECT_EQ(supervisor->WaitForExit(), 0);
  EXPECT_NE(access((stats_ + ".sock").c_str(), F_OK), 0);
}

TEST_F(RestartTest, AReloadChangesWhatIsServedAndKeepsConnections) {
  WriteConfig("", "2", "{ match: { prefix: / }, respond: { status: 200, body: one } }");
  auto sluice = Run();
  ASSERT_TRUE(sluice->WaitUntilReady());
  RawClient client(driver_, sluice->Where("web"));
  EXPECT_EQ(Get(client), "one");
  WriteConfig("", "2", "{ match: { prefix: / }, respond: { status: 200, body: two } }");
  auto reloaded = Command("reload");
  EXPECT_EQ(reloaded->WaitForExit(), 0) << reloaded->err();
  // The command is answered when the configuration is good; a worker may be a turn behind.
  ASSERT_TRUE(driver_.RunUntil([&] { return Get(client) == "two"; }, "the new answer"));

  WriteConfig("max_connections: 9", "2",
              "{ match: { prefix: / }, respond: { status: 200, body: two } }");
  EXPECT_EQ(Command("reload")->WaitForExit(), 0);
  ASSERT_TRUE(sluice->WaitForErr("takes effect with a restart"));

  WriteConfig("", "2", "{ match: { prefix: / }, cluster: nowhere }");
  auto refused = Command("reload");
  EXPECT_EQ(refused->WaitForExit(), 1);
  EXPECT_TRUE(refused->WaitForErr("sluice.yaml:"));
  EXPECT_TRUE(refused->WaitForErr("nowhere"));
  EXPECT_EQ(Get(client), "two");
  sluice->Signal(SIGHUP);
  ASSERT_TRUE(sluice->WaitForErr("nothing is changed (signal, SIGHUP): "));
  EXPECT_EQ(Get(client), "two");
}

TEST_F(RestartTest, AStreamKeepsTheConfigurationItBeganWith) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  auto sluice = Run();
  ASSERT_TRUE(sluice->WaitUntilReady());
  RawClient held(driver_, sluice->Where("web"));
  held.Send(kGet);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  for (const std::string_view body : {"one", "two", "three"}) {
    WriteConfig(
        "", "2",
        "{ match: { prefix: / }, respond: { status: 200, body: " + std::string(body) + " } }");
    EXPECT_EQ(Command("reload")->WaitForExit(), 0);
    RawClient fresh(driver_, sluice->Where("web"));
    ASSERT_TRUE(driver_.RunUntil([&] { return Get(fresh) == body; }, "the new answer"));
  }
  upstream_.connection(0).Release();
  EXPECT_EQ(held.ReadResponse().body, "ok");
  EXPECT_EQ(Get(held), "three");
}

// What a configuration leaves out goes, with its pools, while requests come.
TEST_F(RestartTest, AListenerGoesAndComesWhileItsStreamsAreOpen) {
  auto server = Run();
  const std::string with = ReadWholeFile(file_);
  std::string without = with;
  const size_t local = without.find("  - name: local");
  without.erase(local, without.find("clusters:") - local);
  ASSERT_TRUE(server->WaitUntilReady());
  for (size_t round = 0; round < 3; ++round) {
    upstream_.Next().AwaitRequest().Hold().Send(kOk).Close();
    RawClient client(driver_, *Address::Parse("unix:" + folder_.Path("web.sock")));
    client.Send(kGet);
    ASSERT_TRUE(upstream_.WaitForRequests(round + 1));
    folder_.Write("sluice.yaml", without);
    ASSERT_EQ(Command("reload")->WaitForExit(), 0);
    upstream_.connection(round).Release();
    EXPECT_EQ(client.ReadResponse().body, "ok");
    client.Close();
    folder_.Write("sluice.yaml", with);
    ASSERT_EQ(Command("reload")->WaitForExit(), 0);
  }
}

TEST_F(RestartTest, WithoutARestartSocketTheRestOfItWorks) {
  ASSERT_EQ(mkdir((stats_ + ".sock").c_str(), 0700), 0);
  auto server = Run();
  ASSERT_TRUE(server->WaitUntilReady());
  kill(server->pid(), SIGUSR2);
  ASSERT_TRUE(server->WaitForErr("no restart: there is no restart socket at "));
  ASSERT_EQ(rmdir((stats_ + ".sock").c_str()), 0);
  ASSERT_TRUE(server->WaitForErr(" is open now"));
  EXPECT_EQ(Command("reload")->WaitForExit(), 0);
}

TEST_F(RestartTest, ClustersComeAndGo) {
  upstream_.AlwaysAnswer(kOk);
  auto sluice = Run();
  ASSERT_TRUE(sluice->WaitUntilReady());
  RawClient client(driver_, sluice->Where("web"));
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(Get(client), "ok");
    const std::string config = ReadWholeFile(file_);
    // Another time-out is another cluster.
    file_ = folder_.Write("sluice.yaml", config.substr(0, config.rfind("endpoints: [")) +
                                             "connect_timeout: " + std::to_string(i + 1) +
                                             "s, endpoints: [" + upstream_.text() + "] }\n");
    EXPECT_EQ(Command("reload")->WaitForExit(), 0);
    EXPECT_EQ(Get(client), "ok");
    WriteConfig();
    EXPECT_EQ(Command("reload")->WaitForExit(), 0);
  }
  sluice->Signal(SIGTERM);
  EXPECT_EQ(sluice->WaitForExit(), 0);
}

}  // namespace
}  // namespace sluice::test
