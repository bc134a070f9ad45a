#include "core/base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace sluice {
namespace {

class LogTest : public testing::Test {
 protected:
  LogTest() {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    EXPECT_TRUE(OpenLog(File()));
  }
  ~LogTest() override {
    EXPECT_TRUE(OpenLog(""));
    SetLogLevel(LogLevel::kInfo);
    std::remove(File().c_str());
    std::remove((File() + ".1").c_str());
    rmdir(folder_.c_str());
  }
  std::string File() const { return folder_ + "/log"; }
  // Lines without their time, which comes first.
  std::vector<std::string> Written(const std::string& path) const {
    std::vector<std::string> lines;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
      lines.push_back(line.substr(std::min(line.find(' ') + 1, line.size())));
    }
    return lines;
  }

  std::string folder_ = testing::TempDir() + "sluice-log-XXXXXX";
};

using Lines = std::vector<std::string>;

TEST_F(LogTest, WritesLevelComponentAndMessage) {
  Log(LogLevel::kInfo, "listener", "web listens on {0} %s");
  Log(LogLevel::kError, "dns", "failed");
  EXPECT_EQ(Written(File()), (Lines{"info listener: web listens on {0} %s", "error dns: failed"}));
}

// Who sends a name with a line end in it writes no line of the log.
TEST_F(LogTest, AMessageIsOneLine) {
  Log(LogLevel::kInfo, "admin", "no \"a\nb\r\x1b[31m\x7f\" there: \xc3\xa4");
  EXPECT_EQ(Written(File()), Lines{"info admin: no \"a?b??[31m?\" there: \xc3\xa4"});
}

TEST_F(LogTest, AComponentHasItsOwnLevel) {
  SetLogLevel("dns", LogLevel::kDebug);
  SetLogLevel("server", LogLevel::kOff);
  Log(LogLevel::kDebug, "dns", "written");
  Log(LogLevel::kDebug, "stats", "not written");
  Log(LogLevel::kError, "server", "not written");
  EXPECT_EQ(GetLogLevel("dns"), LogLevel::kDebug);
  EXPECT_EQ(GetLogLevel("stats"), LogLevel::kInfo);
  SetLogLevel("dns", std::nullopt);
  Log(LogLevel::kDebug, "dns", "not written");
  SetLogLevel(LogLevel::kInfo);
  Log(LogLevel::kInfo, "server", "written");
  EXPECT_EQ(Written(File()), (Lines{"debug dns: written", "info server: written"}));
}

TEST_F(LogTest, LevelsHaveNames) {
  EXPECT_EQ(LogLevelName(LogLevel::kWarning), "warning");
  EXPECT_EQ(ParseLogLevel("off"), LogLevel::kOff);
  EXPECT_EQ(ParseLogLevel("Off"), std::nullopt);
}

TEST_F(LogTest, LevelsBelowAreOff) {
  EXPECT_FALSE(LogEnabled(LogLevel::kDebug, "a"));
  Log(LogLevel::kDebug, "a", "not written");
  SetLogLevel(LogLevel::kError);
  EXPECT_FALSE(LogEnabled(LogLevel::kWarning, "a"));
  Log(LogLevel::kWarning, "a", "not written");
  Log(LogLevel::kError, "a", "written");
  SetLogLevel(LogLevel::kOff);
  EXPECT_FALSE(LogEnabled(LogLevel::kError, "a"));
  Log(LogLevel::kError, "a", "not written");
  EXPECT_EQ(Written(File()), Lines{"error a: written"});
}

TEST_F(LogTest, ReopenFollowsARotation) {
  Log(LogLevel::kInfo, "a", "first");
  ASSERT_EQ(std::rename(File().c_str(), (File() + ".1").c_str()), 0);
  Log(LogLevel::kInfo, "a", "second");
  ASSERT_TRUE(ReopenLog());
  Log(LogLevel::kInfo, "a", "third");
  EXPECT_EQ(Written(File() + ".1"), (Lines{"info a: first", "info a: second"}));
  EXPECT_EQ(Written(File()), Lines{"info a: third"});
}

// At a restart the new process opens its own.
TEST_F(LogTest, IsNotForProcessesThatWeStart) {
  size_t open = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the iterator's own
    if (std::filesystem::read_symlink(entry, gone) != File()) continue;
    ++open;
    EXPECT_EQ(fcntl(std::stoi(entry.path().filename()), F_GETFD), FD_CLOEXEC);
  }
  EXPECT_EQ(open, 1u);
}

TEST_F(LogTest, TheOldLogStaysWhenTheNewCannotBeOpened) {
  const Result<void> opened = OpenLog(folder_);
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().detail.starts_with("open log " + folder_ + ": "))
      << opened.error().detail;
  Log(LogLevel::kInfo, "a", "still here");
  EXPECT_EQ(Written(File()), Lines{"info a: still here"});
}

TEST_F(LogTest, AFifoThatNobodyReadsIsNotWaitedFor) {
  const std::string fifo = folder_ + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_FALSE(OpenLog(fifo));
  Log(LogLevel::kInfo, "a", "still here");
  EXPECT_EQ(Written(File()), Lines{"info a: still here"});
  std::remove(fifo.c_str());
}

TEST_F(LogTest, AnyThreadMayLogAndReopen) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 200; ++i) Log(LogLevel::kInfo, "thread", "line");
    });
  }
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(ReopenLog());
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Written(File()), Lines(800, "info thread: line"));
}

}  // namespace
}  // namespace sluice
