// `sluice run`: a proxy that starts, serves, drains and ends.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "core/net/listen_socket.h"
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

class RunTest : public testing::Test {
 protected:
  // A proxy to upstream_, with this beside it at the top of the file.
  std::string Config(std::string_view listen = "127.0.0.1:0", std::string_view top = "") {
    return folder_.Write("sluice.yaml",
                         "admin: 127.0.0.1:0\nworkers: 2\nstats: " + folder_.Path("stats") + "\n" +
                             std::string(top) +
                             "\nlisteners:\n  - name: web\n    listen: " + std::string(listen) +
                             "\n    routes: [{ match: { prefix: / }, cluster: app "
                             "}]\nclusters:\n  - { name: app, endpoints: [" +
                             upstream_.text() + "] }\n");
  }

  Driver driver_;
  TempFolder folder_;
  ScriptedUpstream upstream_{driver_};
};

TEST_F(RunTest, ProxiesAndServesItsMetrics) {
  upstream_.AlwaysAnswer(kOk);
  const std::string log = folder_.Path("access.log");
  SluiceProcess sluice(
      driver_,
      {"run", "-c", Config("127.0.0.1:0\n    filters: [{ access_log: { path: " + log + " } }]")});
  ASSERT_TRUE(sluice.WaitUntilReady());
  RawClient client(driver_, sluice.Where("web"));
  client.Send(kGet);
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(upstream_.connection(0).requests()[0].Header("host"), "a.example");

  RawClient admin(driver_, sluice.Where("admin"));
  admin.Send("GET /ready HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(admin.ReadResponse().status, 200);
  admin.Send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  const HttpText metrics = admin.ReadResponse();
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.body, HasSubstr("sluice_downstream_requests_total{listener=\"web\"} 1\n"));
  EXPECT_THAT(metrics.body, HasSubstr("sluice_server_workers 2\n"));
  EXPECT_THAT(metrics.body, HasSubstr("\nsluice_process_open_fds "));
  EXPECT_THAT(metrics.body, HasSubstr("\nsluice_process_cpu_seconds_total{mode=\"user\"} "));
  EXPECT_THAT(metrics.body,
              HasSubstr("sluice_downstream_accept_queue_connections{listener=\"web\"} 0\n"));
  EXPECT_THAT(metrics.body, HasSubstr("\nsluice_host_log_volume_available_bytes "));

  admin.Send("GET /?format=json HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(admin.ReadResponse().body, HasSubstr("\"loop_lag_p99_seconds\": "));

  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
  EXPECT_TRUE(client.WaitForEnd());
}

TEST_F(RunTest, SigtermLetsARequestInFlightEnd) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  SluiceProcess sluice(driver_, {"run", "-c", Config()});
  ASSERT_TRUE(sluice.WaitUntilReady());
  RawClient client(driver_, sluice.Where("web"));
  client.Send(kGet);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  RawClient admin(driver_, sluice.Where("admin"));

  sluice.Signal(SIGTERM);
  ASSERT_TRUE(sluice.WaitForErr("server: draining: 1 connections"));
  admin.Send("GET /ready HTTP/1.1\r\nHost: a\r\n\r\n");
  const HttpText ready = admin.ReadResponse();
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(ready.body, "DRAINING\n");
  EXPECT_FALSE(sluice.exited());

  upstream_.connection(0).Release();
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_EQ(sluice.WaitForExit(), 0);
}

TEST_F(RunTest, ASecondSignalEndsItAtOnce) {
  upstream_.Next().AwaitRequest();
  SluiceProcess sluice(driver_, {"run", "-c", Config()});
  ASSERT_TRUE(sluice.WaitUntilReady());
  RawClient client(driver_, sluice.Where("web"));
  client.Send(kGet);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  sluice.Signal(SIGINT);
  ASSERT_TRUE(sluice.WaitForErr("server: draining"));
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 1);
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(client.received(), "");
}

TEST_F(RunTest, TheDrainTimeoutClosesWhatIsLeft) {
  upstream_.Next().AwaitRequest();
  SluiceProcess sluice(driver_, {"run", "-c", Config("127.0.0.1:0", "drain_timeout: 20ms")});
  ASSERT_TRUE(sluice.WaitUntilReady());
  RawClient client(driver_, sluice.Where("web"));
  client.Send(kGet);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
  EXPECT_TRUE(sluice.WaitForErr("the drain timeout is over: closing 1 connections"));
  EXPECT_TRUE(client.WaitForEnd());
}

TEST_F(RunTest, AUnixSocketHasItsModeAndIsGoneAfterwards) {
  upstream_.AlwaysAnswer(kOk);
  const std::string path = folder_.Path("web.sock");
  SluiceProcess sluice(driver_,
                       {"run", "-c", Config("{ address: 'unix:" + path + "', mode: '0622' }")});
  ASSERT_TRUE(sluice.WaitUntilReady());
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777, 0622U);
  for (int i = 0; i < 4; ++i) {
    RawClient client(driver_, sluice.Where("web"));
    client.Send(kGet);
    EXPECT_EQ(client.ReadResponse().body, "ok");
  }
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
  EXPECT_NE(stat(path.c_str(), &status), 0);
}

TEST_F(RunTest, ATakenAddressIsAnErrorThatNamesIt) {
  SluiceProcess sluice(driver_, {"run", "-c", Config(upstream_.text())});
  EXPECT_EQ(sluice.WaitForExit(), 1);
  EXPECT_TRUE(sluice.WaitForErr("sluice: listener \"web\": listen on " + upstream_.text() +
                                ": bind: Address already in use\n"));
}

TEST_F(RunTest, ReopensLogs) {
  upstream_.AlwaysAnswer(kOk);
  const std::string log = folder_.Path("core.log");
  SluiceProcess sluice(driver_, {"run", "-c", Config("127.0.0.1:0", "log: { path: " + log + " }")});
  // The log is a file: what it says is read from there.
  const auto logged = [&log](std::string_view text) {
    return [&log, text] {
      FILE* const file = fopen(log.c_str(), "re");
      if (file == nullptr) return false;
      fclose(file);
      return ReadWholeFile(log).find(text) != std::string::npos;
    };
  };
  ASSERT_TRUE(driver_.RunUntil(logged("server: ready: "), "the ready line"));
  ASSERT_EQ(rename(log.c_str(), folder_.Path("core.log.1").c_str()), 0);
  sluice.Signal(SIGUSR1);
  ASSERT_TRUE(driver_.RunUntil(logged("logs are open anew"), "a new log"));
  EXPECT_THAT(ReadWholeFile(log), Not(HasSubstr("ready")));
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
}

// Whichever worker they came to.
TEST_F(RunTest, SilentClientsDoNotShutOthersOut) {
  upstream_.AlwaysAnswer(kOk);
  SluiceProcess sluice(driver_, {"run", "-c", Config("127.0.0.1:0", "max_connections: 3")});
  ASSERT_TRUE(sluice.WaitUntilReady());
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 6; ++i) {
    silent.push_back(std::make_unique<RawClient>(driver_, sluice.Where("web")));
  }
  for (int i = 0; i < 4; ++i) {
    RawClient client(driver_, sluice.Where("web"));
    client.Send(kGet);
    ASSERT_EQ(client.ReadResponse().body, "ok");
  }
  EXPECT_TRUE(
      sluice.WaitForErr("warning listener: web: at the connection limit clients that "
                        "send no request lose their place\n"));
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
}

TEST_F(RunTest, BecomesTheUserAfterBinding) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  upstream_.AlwaysAnswer(kOk);
  SluiceProcess sluice(driver_,
                       {"run", "-c", Config("127.0.0.1:0", "user: nobody\ngroup: daemon")});
  ASSERT_TRUE(sluice.WaitUntilReady());
  const std::string status = ReadWholeFile("/proc/" + std::to_string(sluice.pid()) + "/status");
  const std::string uid = std::to_string(FindUser("nobody").value());
  const std::string gid = std::to_string(FindGroup("daemon").value());
  EXPECT_THAT(status, HasSubstr("\nUid:\t" + uid + "\t" + uid + "\t" + uid + "\t" + uid + "\n"));
  EXPECT_THAT(status, HasSubstr("\nGid:\t" + gid + "\t" + gid + "\t" + gid + "\t" + gid + "\n"));
  RawClient client(driver_, sluice.Where("web"));
  client.Send(kGet);
  EXPECT_EQ(client.ReadResponse().body, "ok");
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
}

// The logs that root opened can be opened again by whom it became.
TEST_F(RunTest, LogsAreTheUsersTooAfterARename) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: becomes another user";
  upstream_.AlwaysAnswer(kOk);
  const uid_t nobody = FindUser("nobody").value();
  const gid_t daemon = FindGroup("daemon").value();
  ASSERT_EQ(chown(folder_.path().c_str(), nobody, daemon), 0);
  const std::string log = folder_.Path("access.log");
  const std::string old = folder_.Write("old.log", "");  // root's: it stays so
  const std::string server_log = folder_.Path("server.log");
  const std::string listen =
      "127.0.0.1:0\n    filters: [{ access_log: { path: " + log +
      ", text: '%path%', flush_interval: 10ms } }, { access_log: { path: " + old +
      ", text: '%path%', flush_interval: 10ms } }]";
  SluiceProcess sluice(
      driver_, {"run", "-c",
                Config(listen, "user: nobody\ngroup: daemon\nlog: { path: " + server_log + " }")});
  const auto has = [](const std::string& path, std::string_view text) {
    return [&path, text] {
      return access(path.c_str(), R_OK) == 0 && ReadWholeFile(path).find(text) != std::string::npos;
    };
  };
  ASSERT_TRUE(driver_.RunUntil(has(server_log, "server: ready: "), "the ready line"));
  for (const std::string& path : {log, server_log}) {
    struct stat about {};
    ASSERT_EQ(stat(path.c_str(), &about), 0);
    EXPECT_EQ(about.st_uid, nobody) << path;
    EXPECT_EQ(about.st_gid, daemon) << path;
  }
  const std::string ready = ReadWholeFile(server_log);
  const size_t where = ready.find("web on ") + 7;
  RawClient client(driver_,
                   Address::Parse(ready.substr(where, ready.find('\n', where) - where)).value());
  client.Send(kGet);
  EXPECT_EQ(client.ReadResponse().body, "ok");
  ASSERT_TRUE(driver_.RunUntil(has(log, "/a\n"), "the line"));
  // Opened again under the same name first: that needs the rights to the file itself.
  sluice.Signal(SIGUSR1);
  ASSERT_TRUE(driver_.RunUntil(
      has(server_log, "1 of 3 logs could not be opened anew: the old file stays"), "the outcome"));
  EXPECT_THAT(ReadWholeFile(server_log), Not(HasSubstr("logs are open anew")));
  ASSERT_TRUE(driver_.RunUntil(
      has(server_log, "old.log: Permission denied; writing goes on to the file as it was"),
      "the log that cannot be opened"));
  EXPECT_THAT(ReadWholeFile(server_log), Not(HasSubstr("access.log: ")));
  ASSERT_EQ(rename(log.c_str(), folder_.Path("access.log.1").c_str()), 0);
  sluice.Signal(SIGUSR1);
  ASSERT_TRUE(driver_.RunUntil(has(log, ""), "a new file"));
  client.Send("GET /b HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().body, "ok");
  ASSERT_TRUE(driver_.RunUntil(has(log, "/b\n"), "the second line"));
  ASSERT_TRUE(driver_.RunUntil(has(old, "/b\n"), "the line in the old file"));
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
}

TEST_F(RunTest, CountersCountOnInTheNextProcess) {
  upstream_.AlwaysAnswer(kOk);
  for (int run = 1; run <= 3; ++run) {
    SluiceProcess sluice(driver_, {"run", "-c", Config()});
    ASSERT_TRUE(sluice.WaitUntilReady());
    RawClient client(driver_, sluice.Where("web"));
    client.Send(kGet);
    EXPECT_EQ(client.ReadResponse().status, 200);
    RawClient admin(driver_, sluice.Where("admin"));
    admin.Send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    const HttpText metrics = admin.ReadResponse();
    EXPECT_THAT(metrics.body, HasSubstr("sluice_downstream_requests_total{listener=\"web\"} " +
                                        std::to_string(run) + "\n"));
    EXPECT_THAT(metrics.body,
                HasSubstr("sluice_downstream_connections_active{listener=\"web\"} 1\n"));
    sluice.Signal(SIGKILL);
    EXPECT_EQ(sluice.WaitForExit(), 128 + SIGKILL);
  }
}

TEST_F(RunTest, AnInstanceIsNamedByItsId) {
  const std::string id = "test-" + std::to_string(getpid());
  const std::string path = "/dev/shm/sluice." + id;
  if (access("/dev/shm", W_OK) != 0) GTEST_SKIP() << "needs /dev/shm";
  const std::string file = folder_.Write("id.yaml", "id: " + id +
                                                        "\nlisteners:\n  - name: web\n    listen: "
                                                        "127.0.0.1:0\n    routes: [{ match: /, "
                                                        "respond: 200 }]\n");
  SluiceProcess sluice(driver_, {"run", "-c", file});
  EXPECT_TRUE(sluice.WaitUntilReady());
  EXPECT_EQ(access(path.c_str(), R_OK | W_OK), 0);
  unlink(path.c_str());
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
}

TEST_F(RunTest, NoPlaceForItsStatsIsAnError) {
  SluiceProcess sluice(driver_, {"run", "-c",
                                 folder_.Write("bad.yaml",
                                               "stats: /nowhere/stats\n"
                                               "listeners:\n"
                                               "  - name: web\n"
                                               "    listen: 127.0.0.1:0\n"
                                               "    routes: [{ match: /, "
                                               "respond: 200 }]\n")});
  EXPECT_EQ(sluice.WaitForExit(), 1);
  EXPECT_EQ(sluice.err(),
            "sluice: stats: making /nowhere/stats: No such file or directory: no such folder? "
            "stats.path names another place\n");
}

TEST_F(RunTest, AUserThatIsNotThereIsAnError) {
  SluiceProcess sluice(driver_, {"run", "-c", Config("127.0.0.1:0", "user: nobody-of-this-name")});
  EXPECT_EQ(sluice.WaitForExit(), 1);
  EXPECT_TRUE(sluice.WaitForErr(":4:7: user: there is no user \"nobody-of-this-name\"\n"));
}

TEST_F(RunTest, WarnsWhenTheFdLimitCannotHoldTheConnections) {
  SluiceProcess sluice(driver_,
                       {"run", "-c", Config("127.0.0.1:0", "max_connections: 4000000000")});
  ASSERT_TRUE(sluice.WaitUntilReady());
  EXPECT_TRUE(sluice.WaitForErr("warning server: max_connections is 4000000000, but the "));
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
}

}  // namespace
}  // namespace sluice::test
