// Restarts for which something is wrong with the machine: the binary, memory, disks, the clock. The
// process that serves goes on, or the start fails with a line that says why.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "core/server/restart/step.h"
#include "core/stats/limits.h"
#include "tests/support/counting_load.h"
#include "tests/support/listener_line.h"
#include "tests/support/process.h"
#include "tests/support/process_figures.h"
#include "tests/support/raw_client.h"
#include "tests/support/stats_watch.h"
#include "tests/support/step_gate.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

class RestartFaultsTest : public testing::Test {
 protected:
  RestartFaultsTest() {
    std::filesystem::create_symlink(SLUICE_BINARY, binary_);
    WriteConfig("one");
  }
  // What was restarted into is nobody's child.
  ~RestartFaultsTest() override {
    for (const int pid : ProcessesWith(folder_.path())) kill(pid, SIGKILL);
  }

  void WriteConfig(std::string_view body, std::string_view top = "", std::string_view web = "",
                   std::string_view listeners = "") {
    file_ = folder_.Write(
        "sluice.yaml",
        "drain_timeout: 4s\nready_timeout: 1s\nstats: { path: " + stats_ + ", size: 1MiB }\n" +
            std::string(top) + "\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n    " +
            std::string(web) + "\n    routes: [" + Route(body) + "]\n" + std::string(listeners));
  }
  static std::string Route(std::string_view body) {
    return "{ match: { prefix: / }, respond: { status: 200, body: " + std::string(body) + " } }";
  }
  // In place of what stands at binary_, which the running process was started by.
  void ReplaceBinary(std::string_view text, mode_t mode) {
    std::filesystem::remove(binary_);
    if (text.empty()) return;
    folder_.Write("sluice", text);
    chmod(binary_.c_str(), mode);
  }

  std::unique_ptr<Process> Start(const std::string& program, std::vector<std::string> arguments) {
    return std::make_unique<Process>(driver_, program, arguments);
  }
  std::unique_ptr<Process> Run(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"run", "-c", file_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto process = Start(binary_, arguments);
    process->WaitForErr("server: ready: ");
    web_ = ListenerIn(process->err(), "web");
    return process;
  }
  // In a shell that has set this limit or variable first.
  std::unique_ptr<Process> RunAfter(const std::string& setting) {
    return Start("/bin/sh", {"-c", setting + "; exec " + binary_ + " run -c " + file_});
  }
  std::unique_ptr<Process> Command(std::vector<std::string> words) {
    words.insert(words.end(), {"--stats", stats_});
    auto command = Start(SLUICE_BINARY, words);
    command->WaitForExit();
    return command;
  }
  std::string Ask() { return AskAt(web_).body; }
  HttpText AskAt(const Address& address) {
    RawClient client(driver_, address);
    client.Send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
    return client.ReadResponse();
  }
  // A restart that must fail, with this reason.
  void ExpectNoRestart(Process& process, std::string_view reason) {
    CountingLoad load({web_, web_, {}});
    auto restart = Command({"restart"});
    EXPECT_EQ(restart->WaitForExit(), 1);
    EXPECT_TRUE(restart->WaitForErr(std::string(reason)));
    EXPECT_FALSE(process.exited());
    EXPECT_EQ(Ask(), "one");
    load.Stop();
    EXPECT_EQ(load.failures(), "");
    EXPECT_EQ(ReadCounter(stats_, "sluice_downstream_requests_total", "listener=\"web\""),
              load.fresh() + load.kept() + 1);
    // When the fault is gone, it is as if it had never been.
    std::filesystem::remove(binary_);
    std::filesystem::create_symlink(SLUICE_BINARY, binary_);
    WriteConfig("two");
    EXPECT_EQ(Command({"restart"})->WaitForExit(), 0);
    ASSERT_TRUE(driver_.RunUntil([&] { return process.exited(); }, "the old process' end"));
    EXPECT_EQ(Ask(), "two");
    EXPECT_EQ(Command({"stop"})->WaitForExit(), 0);
    driver_.RunUntil([this] { return ProcessesWith(folder_.path()).empty(); }, "the last's end");
  }

  Driver driver_;
  TempFolder folder_;
  const std::string binary_ = folder_.Path("sluice");
  const std::string stats_ = folder_.Path("stats");
  std::string file_;
  Address web_;
};

TEST_F(RestartFaultsTest, ABinaryThatIsMissing) {
  auto process = Run();
  ReplaceBinary("", 0);
  ExpectNoRestart(*process, "No such file or directory");
}

TEST_F(RestartFaultsTest, ABinaryThatMayNotBeExecuted) {
  auto process = Run();
  ReplaceBinary("#!/bin/sh\n", 0644);
  ExpectNoRestart(*process, "Permission denied");
}

TEST_F(RestartFaultsTest, ABinaryThatEndsAtOnce) {
  auto process = Run();
  ReplaceBinary("#!/bin/sh\nexit 7\n", 0755);
  ExpectNoRestart(*process, "the new process ended with status 7");
}

TEST_F(RestartFaultsTest, ABinaryThatCrashesAtStart) {
  auto process = Run();
  ReplaceBinary("#!/bin/sh\nkill -SEGV $$\n", 0755);
  ExpectNoRestart(*process, "the new process was ended by signal 11");
}

TEST_F(RestartFaultsTest, ABinaryThatHangsAtStart) {
  auto process = Run();
  ReplaceBinary("#!/bin/sh\nexec tail -f /dev/null " + folder_.path() + "/sluice\n", 0755);
  ExpectNoRestart(*process, "the new process was not ready within 1 s");
}

TEST_F(RestartFaultsTest, AConfigurationThatIsBad) {
  auto process = Run();
  folder_.Write("sluice.yaml", "listeners: {");
  ExpectNoRestart(*process, "the new process: ");
}

TEST_F(RestartFaultsTest, NoRoomForTheSegmentIsAClearError) {
  auto process = RunAfter("ulimit -f 8");
  EXPECT_EQ(process->WaitForExit(), 1);
  EXPECT_TRUE(process->WaitForErr("stats: sizing "));
  EXPECT_TRUE(process->WaitForErr("File too large"));
  EXPECT_THAT(FilesIn(folder_.path()), ::testing::ElementsAre("sluice", "sluice.yaml"));
}

// A tmpfs of 1 MiB, filled to its end while a process runs there. Needs the right to mount.
TEST_F(RestartFaultsTest, SharedMemoryThatIsFullStopsNoProcess) {
  std::filesystem::create_directory(folder_.Path("shm"));
  folder_.Write("sluice.yaml", "drain_timeout: 4s\nready_timeout: 1s\nstats: { path: " +
                                   folder_.Path("shm/stats") +
                                   ", size: 16MiB }\nlisteners:\n  - name: web\n    listen: "
                                   "127.0.0.1:0\n    routes: [" +
                                   Route("one") + "]\n");
  auto process =
      Start("/usr/bin/unshare",
            {"-Urm", "/bin/sh", "-c",
             "mount -t tmpfs -o size=1m none " + folder_.Path("shm") +
                 " || { echo no mount >&2; exit 9; }; exec " + binary_ + " run -c " + file_});
  driver_.RunUntil(
      [&] {
        return process->exited() || process->err().find("server: ready: ") != std::string::npos;
      },
      "the start");
  if (process->exited()) GTEST_SKIP() << "no mount of its own here: " << process->err();
  web_ = ListenerIn(process->err(), "web");
  EXPECT_EQ(Ask(), "one");
  {
    std::ofstream fill("/proc/" + std::to_string(process->pid()) + "/root" +
                       folder_.Path("shm/fill"));
    ASSERT_TRUE(fill.is_open());
    while (fill << std::string(4096, 'x') && fill.flush()) {
    }
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Ask(), "one");
  process->Signal(SIGUSR2);
  ASSERT_TRUE(process->WaitForErr("the restart has failed, this process goes on"));
  EXPECT_TRUE(process->WaitForErr("shared memory is full; make room"));
  EXPECT_EQ(Ask(), "one");
  process->Signal(SIGTERM);
  EXPECT_EQ(process->WaitForExit(), 0);
}

TEST_F(RestartFaultsTest, LogsOnAFullDiskStopNobody) {
  WriteConfig("one", "log: { path: /dev/full }", "filters: [{ access_log: { path: /dev/full } }]");
  auto first = Start(binary_, {"run", "-c", file_});
  // The log would say when it serves.
  driver_.RunUntil([&] { return access((stats_ + ".sock").c_str(), F_OK) == 0; }, "the first");
  WriteConfig("two", "", "filters: [{ access_log: { path: /dev/full } }]");
  auto second = Run();
  EXPECT_EQ(first->WaitForExit(), 0);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Ask(), "two");
  second->Signal(SIGTERM);
  EXPECT_EQ(second->WaitForExit(), 0);
}

// The signal that a limit sends would end the process.
TEST_F(RestartFaultsTest, LogsAtTheLimitOfFilesStopNobody) {
  const std::string log = folder_.Path("access.log");
  folder_.Write("access.log", "");
  std::filesystem::resize_file(log, kStatsDefaultSize);  // the limit has to let segments be
  WriteConfig("one", "", "filters: [{ access_log: { path: " + log + " } }]");
  auto first = RunAfter("ulimit -f " + std::to_string(kStatsDefaultSize / 512));
  ASSERT_TRUE(first->WaitForErr("server: ready: "));
  web_ = ListenerIn(first->err(), "web");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Ask(), "one");
  auto restarted = Command({"restart"});
  EXPECT_EQ(restarted->WaitForExit(), 0) << restarted->err();
  ASSERT_TRUE(driver_.RunUntil([&] { return first->exited(); }, "the old process' end"));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Ask(), "one");
  EXPECT_EQ(Command({"stop"})->WaitForExit(), 0);
  EXPECT_EQ(std::filesystem::file_size(log), kStatsDefaultSize);
}

TEST_F(RestartFaultsTest, ADamagedSegmentIsSetAside) {
  auto first = Run();
  CountingLoad load({web_, web_, {}});
  {
    std::fstream segment(stats_, std::ios::binary | std::ios::in | std::ios::out);
    segment << std::string(64, '\xFF');
    ASSERT_TRUE(segment.flush());
  }
  WriteConfig("two");
  auto second = Run();
  EXPECT_TRUE(second->WaitForErr("set aside as " + stats_ + ".old"));
  EXPECT_EQ(first->WaitForExit(), 0) << first->err();
  EXPECT_EQ(Ask(), "two");
  load.Stop();
  EXPECT_EQ(load.failures(), "");
}

// The segment's clock base is of the first process' clock; the next has another wall clock, then
// the wall clock moves while it runs, and moves back.
TEST_F(RestartFaultsTest, AClockThatIsSetHarmsNobody) {
  auto first = Run();
  const std::string today = AskAt(web_).Header("date").value_or("");
  CountingLoad load({web_, web_, {}});
  StatsWatch watch(stats_);
  const std::string offset = folder_.Write("offset", "864000");
  WriteConfig("two");
  auto second = RunAfter("export LD_PRELOAD=" SLUICE_BUILD_DIR
                         "/libmoved_clock.so ASAN_OPTIONS=verify_asan_link_order=0 MOVED_CLOCK=" +
                         offset);
  ASSERT_TRUE(second->WaitForErr("server: ready: "));
  EXPECT_EQ(first->WaitForExit(), 0) << first->err();
  const HttpText ahead = AskAt(web_);
  EXPECT_EQ(ahead.body, "two");
  EXPECT_NE(ahead.Header("date").value_or("").substr(0, 16),
            today.substr(0, 16));  // "Sat, 21 Nov 2026"
  for (const std::string_view seconds : {"-864000", "0", "86400000"}) {
    folder_.Write("offset", seconds);
    const uint64_t before = load.fresh() + load.kept();
    ASSERT_TRUE(driver_.RunUntil([&] { return load.fresh() + load.kept() > before + 50; },
                                 "more of the load"));
  }
  WriteConfig("three");
  auto third = Run();
  EXPECT_EQ(second->WaitForExit(), 0) << second->err();
  EXPECT_EQ(AskAt(web_).body, "three");
  load.Stop();
  EXPECT_EQ(load.failures(), "");
  watch.Stop();
  EXPECT_EQ(watch.failures(), "");
  EXPECT_EQ(ReadCounter(stats_, "sluice_downstream_requests_total", "listener=\"web\""),
            load.fresh() + load.kept() + 3);
}

// Each socket of the listener is accepted from, by however many workers.
TEST_F(RestartFaultsTest, WorkersChangeUnderLoad) {
  WriteConfig("one", "workers: 4");
  auto process = Run();
  CountingLoad load({web_, web_, {}});
  for (const std::string_view workers : {"1", "3", "2"}) {
    WriteConfig("one", "workers: " + std::string(workers));
    auto next = Run();
    EXPECT_EQ(process->WaitForExit(), 0) << process->err();
    const uint64_t before = load.fresh();
    ASSERT_TRUE(driver_.RunUntil([&] { return load.fresh() > before + 100; }, "the load"));
    process = std::move(next);
  }
  load.Stop();
  EXPECT_EQ(load.failures(), "");
}

TEST_F(RestartFaultsTest, ListenersComeAndGoInTheStep) {
  const auto listener = [this](const std::string& name, std::string_view body) {
    return "  - name: " + name + "\n    listen: 'unix:" + folder_.Path(name + ".sock") +
           "'\n    routes: [" + Route(body) + "]\n";
  };
  const auto place = [this](const std::string& name) {
    return Address::Unix(folder_.Path(name + ".sock")).value();
  };
  WriteConfig("one", "", "", listener("stays", "one") + listener("goes", "one"));
  auto first = Run();
  CountingLoad load({web_, place("stays"), {}});
  EXPECT_EQ(AskAt(place("goes")).body, "one");
  WriteConfig("two", "", "filters: [{ headers: { response: { set: { x-new: yes } } } }]",
              listener("stays", "two") + listener("comes", "two"));
  auto second = Run();
  EXPECT_EQ(first->WaitForExit(), 0) << first->err();
  EXPECT_EQ(AskAt(web_).Header("x-new"), "yes");
  EXPECT_EQ(AskAt(place("stays")).body, "two");
  EXPECT_EQ(AskAt(place("comes")).body, "two");
  load.Stop();
  EXPECT_EQ(load.failures(), "");
  ASSERT_TRUE(second->WaitForErr(" is gone"));
  second->Signal(SIGTERM);
  EXPECT_EQ(second->WaitForExit(), 0);
  EXPECT_THAT(FilesIn(folder_.path()), ::testing::ElementsAre("sluice", "sluice.yaml", "stats"));
}

TEST_F(RestartFaultsTest, ASupervisorOutlivesWhoeverIsReplaced) {
  auto supervisor = Run({"--supervise"});
  const int first = LiveProcesses(stats_).at(0);
  RawClient held(driver_, web_);  // so that the first drains for a while
  ASSERT_TRUE(driver_.RunUntil(
      [&] { return ReadGauge(stats_, "sluice_downstream_connections_active") == 1; }, "a client"));
  EXPECT_EQ(Command({"restart"})->WaitForExit(), 0);
  const int second = LiveProcesses(stats_).at(0);
  EXPECT_NE(second, first);
  kill(second, SIGKILL);  // the old one comes back
  ASSERT_TRUE(supervisor->WaitForErr("accepting again"));
  EXPECT_EQ(Ask(), "one");
  WriteConfig("two");
  EXPECT_EQ(Command({"restart"})->WaitForExit(), 0);
  EXPECT_EQ(LiveProcesses(stats_).size(), 2U);
  kill(first, SIGKILL);  // it drains again, and is not needed
  driver_.RunUntil([&] { return LiveProcesses(stats_).size() == 1; }, "the end of the first");
  EXPECT_EQ(Ask(), "two");
  EXPECT_FALSE(supervisor->exited());
  supervisor->Signal(SIGTERM);
  EXPECT_EQ(supervisor->WaitForExit(), 0) << supervisor->err();
  EXPECT_THAT(ProcessesWith(folder_.path()), IsEmpty());
}

TEST_F(RestartFaultsTest, ASupervisorEndsAsTheLastOfItsProcesses) {
  auto supervisor = Run({"--supervise"});
  kill(LiveProcesses(stats_).at(0), SIGKILL);
  EXPECT_EQ(supervisor->WaitForExit(), 128 + SIGKILL);
}

TEST_F(RestartFaultsTest, ASocketFileThatIsRemovedComesBack) {
  auto first = Run();
  std::filesystem::remove(stats_ + ".sock");
  ASSERT_TRUE(first->WaitForErr("is not ours any more: it is opened anew"));
  auto second = Run();
  EXPECT_EQ(first->WaitForExit(), 0);
  EXPECT_EQ(Ask(), "one");
}

TEST_F(RestartFaultsTest, BothKilledIsAStartLikeAny) {
  auto first = Run();
  RawClient held(driver_, web_);
  ASSERT_TRUE(driver_.RunUntil(
      [&] { return ReadGauge(stats_, "sluice_downstream_connections_active") == 1; }, "a client"));
  EXPECT_EQ(Ask(), "one");
  auto second = Run();
  ASSERT_TRUE(first->WaitForErr(" serves; draining"));
  first->Signal(SIGKILL);
  second->Signal(SIGKILL);
  first->WaitForExit();
  second->WaitForExit();
  WriteConfig("three");
  auto third = Run();
  EXPECT_EQ(Ask(), "three");
  EXPECT_EQ(ReadCounter(stats_, "sluice_downstream_requests_total", "listener=\"web\""), 2U);
  EXPECT_TRUE(driver_.RunUntil(
      [&] { return ReadGauge(stats_, "sluice_downstream_connections_active") == 0; }, "rest"));
}

// A restart that is under way when the service is asked to end must not bring it back.
TEST_F(RestartFaultsTest, AnEndDuringARestartIsAnEnd) {
  auto first = Run();
  StepGate gate(driver_, folder_.Path("steps"));
  gate.HoldAt(restart_step::kChecked);
  auto second = Start(binary_, {"run", "-c", file_});
  ASSERT_NE(gate.WaitForHeld(), 0);
  first->Signal(SIGTERM);
  EXPECT_EQ(first->WaitForExit(), 0);
  gate.Release();
  EXPECT_EQ(second->WaitForExit(), 1);
  EXPECT_TRUE(second->WaitForErr("this process is asked to end"));
}

TEST_F(RestartFaultsTest, ANewProcessThatIsEndedAtItsStartLeavesTheOldOneAsItWas) {
  auto first = Run();
  {
    StepGate gate(driver_, folder_.Path("steps"));
    gate.HoldAt(restart_step::kStatsAttached);
    auto second = Start(binary_, {"run", "-c", file_});
    ASSERT_NE(gate.WaitForHeld(), 0);
    second->Signal(SIGTERM);
    gate.Release();
    second->WaitForExit();
  }
  ASSERT_TRUE(first->WaitForErr("it was asked to end"));
  EXPECT_EQ(Ask(), "one");
  WriteConfig("two");
  auto third = Run();
  EXPECT_EQ(first->WaitForExit(), 0);
  EXPECT_EQ(Ask(), "two");
}

TEST_F(RestartFaultsTest, ForceEndsAProcessThatStillDrains) {
  auto first = Run();
  RawClient held(driver_, web_);
  ASSERT_TRUE(driver_.RunUntil(
      [&] { return ReadGauge(stats_, "sluice_downstream_connections_active") == 1; }, "a client"));
  EXPECT_EQ(Command({"restart"})->WaitForExit(), 0);
  first->Signal(SIGSTOP);  // it would drain for ever
  auto refused = Command({"restart"});
  EXPECT_EQ(refused->WaitForExit(), 1);
  WriteConfig("two");
  auto forced = Command({"restart", "--force"});
  EXPECT_EQ(forced->WaitForExit(), 0) << forced->err();
  ASSERT_TRUE(driver_.RunUntil([&] { return first->exited(); }, "its end"));
  ASSERT_TRUE(driver_.RunUntil([&] { return LiveProcesses(stats_).size() == 1; }, "one alone"));
  EXPECT_EQ(Ask(), "two");
  EXPECT_EQ(Command({"stop"})->WaitForExit(), 0);
}

// Signals may come before there is anything that they could be for.
TEST_F(RestartFaultsTest, LogsAreToBeReopenedWhileItTakesOver) {
  auto first = Run();
  StepGate gate(driver_, folder_.Path("steps"));
  gate.HoldAt(restart_step::kHelloSent);
  auto second = Start(binary_, {"run", "-c", file_});
  ASSERT_NE(gate.WaitForHeld(), 0);
  second->Signal(SIGUSR1);
  gate.Release();
  ASSERT_TRUE(second->WaitForErr("server: ready: "));
  EXPECT_EQ(first->WaitForExit(), 0);
  EXPECT_EQ(Ask(), "one");
}

TEST_F(RestartFaultsTest, ItIsToEndWhileItTakesOver) {
  auto first = Run();
  StepGate gate(driver_, folder_.Path("steps"));
  gate.HoldAt(restart_step::kHelloSent);
  auto second = Start(binary_, {"run", "-c", file_});
  ASSERT_NE(gate.WaitForHeld(), 0);
  second->Signal(SIGTERM);
  gate.Release();
  EXPECT_EQ(second->WaitForExit(), 1);
  EXPECT_TRUE(second->WaitForErr("it was asked to end"));
  ASSERT_TRUE(first->WaitForErr("this process goes on: "));
  EXPECT_EQ(Ask(), "one");
}

// What came with the reload serves after the check alone, which looks at what came before.
TEST_F(RestartFaultsTest, AReloadWhileItChecksItself) {
  WriteConfig("one", "", "filters: [{ fault: { delay: 300ms } }]");
  StepGate gate(driver_, folder_.Path("steps"));
  gate.HoldAt(restart_step::kStatsAttached);
  auto process = Start(binary_, {"run", "-c", file_});
  ASSERT_NE(gate.WaitForHeld(), 0);
  WriteConfig("two");
  process->Signal(SIGHUP);
  gate.Release();
  ASSERT_TRUE(process->WaitForErr("server: ready: "));
  EXPECT_THAT(gate.passed(), IsSupersetOf({std::string(restart_step::kChecked),
                                           std::string(restart_step::kAccepting)}));
  web_ = ListenerIn(process->err(), "web");
  EXPECT_EQ(Ask(), "two");
}

}  // namespace
}  // namespace sluice::test
