#include "filters/access_log/file_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "filters/access_log/temp_folder.h"

namespace sluice::access_log {
namespace {

// Far ahead of the files' own birth, which the kernel says.
class MovableClock final : public Clock {
 public:
  Nanos Monotonic() override { return now; }
  Nanos Wall() override { return now; }
  Nanos now = Nanos{4'000'000'000} * kSecond;
};

class FileSinkTest : public ::testing::Test {
 protected:
  std::unique_ptr<FileSink> Open(const std::string& name = "log") {
    auto sink = FileSink::Open(folder.Path(name), clock);
    EXPECT_TRUE(sink) << sink.error().detail;
    return std::move(*sink);
  }
  // As the writer does: until all is taken.
  static void Write(FileSink& sink, std::string_view data) {
    while (!data.empty()) {
      const LogSink::Outcome outcome = sink.Write(data);
      ASSERT_EQ(outcome.error, 0);
      ASSERT_GT(outcome.taken, 0U);
      data.remove_prefix(outcome.taken);
    }
  }

  MovableClock clock;
  TempFolder folder;
};

TEST_F(FileSinkTest, Appends) {
  Write(*Open(), "one\n");
  Write(*Open(), "two\n");
  EXPECT_EQ(folder.Read("log"), "one\ntwo\n");
}

TEST_F(FileSinkTest, AFolderOrAMissingFolderIsAnError) {
  const auto missing = FileSink::Open(folder.Path("no/log"), clock);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().detail.find("no/log: No such file"), std::string::npos);
  EXPECT_FALSE(FileSink::Open(folder.Path(""), clock));
}

TEST_F(FileSinkTest, ReopensAfterARename) {
  const auto sink = Open();
  Write(*sink, "one\n");
  std::filesystem::rename(folder.Path("log"), folder.Path("old"));
  Write(*sink, "two\n");
  ASSERT_TRUE(sink->Reopen());
  Write(*sink, "three\n");
  EXPECT_EQ(folder.Read("old"), "one\ntwo\n");
  EXPECT_EQ(folder.Read("log"), "three\n");
}

TEST_F(FileSinkTest, TheOldFileStaysWhenReopeningFails) {
  std::filesystem::create_directory(folder.Path("sub"));
  const auto sink = Open("sub/log");
  std::filesystem::rename(folder.Path("sub"), folder.Path("moved"));
  EXPECT_FALSE(sink->Reopen());
  Write(*sink, "one\n");
  EXPECT_EQ(folder.Read("moved/log"), "one\n");
}

TEST_F(FileSinkTest, RotatesBySizeAtLineEnds) {
  const auto sink = Open();
  sink->SetRotation({10, 0, 2});
  Write(*sink, "aaaa\nbbbb\ncccc\ndddd\neeee\nffff\ngggg\n");
  EXPECT_EQ(folder.Read("log"), "gggg\n");
  EXPECT_EQ(folder.Read("log.1"), "eeee\nffff\n");
  EXPECT_EQ(folder.Read("log.2"), "cccc\ndddd\n");
  EXPECT_EQ(folder.Read("log.3"), "(none)");
  Write(*sink, "hhhh\n");  // fits
  EXPECT_EQ(folder.Read("log"), "gggg\nhhhh\n");
}

TEST_F(FileSinkTest, ALineLargerThanTheLimitHasAFileOfItsOwn) {
  const auto sink = Open();
  sink->SetRotation({4, 0, 3});
  Write(*sink, "a\nlong line\nb\n");
  EXPECT_EQ(folder.Read("log.2"), "a\n");
  EXPECT_EQ(folder.Read("log.1"), "long line\n");
  EXPECT_EQ(folder.Read("log"), "b\n");
}

TEST_F(FileSinkTest, NoRotationInTheMiddleOfALine) {
  const auto sink = Open();
  sink->SetRotation({4, 0, 3});
  EXPECT_EQ(sink->Write("abcdef").taken, 6U);  // as a disk that fills up may leave it
  Write(*sink, "gh\ni\n");
  EXPECT_EQ(folder.Read("log.1"), "abcdefgh\n");
  EXPECT_EQ(folder.Read("log"), "i\n");
}

TEST_F(FileSinkTest, WhatIsThereCounts) {
  Write(*Open(), "aaaa\nbbbb\n");
  const auto sink = Open();
  sink->SetRotation({10, 0, 1});
  Write(*sink, "c\n");
  EXPECT_EQ(folder.Read("log.1"), "aaaa\nbbbb\n");
  EXPECT_EQ(folder.Read("log"), "c\n");
}

TEST_F(FileSinkTest, RotatesByAge) {
  const auto sink = Open();
  sink->SetRotation({0, 60 * kSecond, 1});
  Write(*sink, "one\n");
  clock.now += 59 * kSecond;
  Write(*sink, "two\n");
  EXPECT_EQ(folder.Read("log.1"), "(none)");
  clock.now += 1 * kSecond;
  Write(*sink, "three\n");
  EXPECT_EQ(folder.Read("log.1"), "one\ntwo\n");
  EXPECT_EQ(folder.Read("log"), "three\n");
  clock.now += 59 * kSecond;  // the new file's own age counts
  Write(*sink, "four\n");
  EXPECT_EQ(folder.Read("log"), "three\nfour\n");
}

TEST_F(FileSinkTest, AFileThatWasThereKeepsItsAge) {
  Write(*Open(), "one\n");
  const auto sink = Open();  // born decades before the clock's time, if the file system knows
  struct statx about {};
  ASSERT_EQ(statx(AT_FDCWD, folder.Path("log").c_str(), 0, STATX_BTIME, &about), 0);
  const bool known = (about.stx_mask & STATX_BTIME) != 0;
  sink->SetRotation({0, 60 * kSecond, 1});
  Write(*sink, "two\n");
  EXPECT_EQ(folder.Read("log"), known ? "two\n" : "one\ntwo\n");
}

TEST_F(FileSinkTest, TwoProcessesDoNotRotateTwice) {
  const auto one = Open();
  const auto two = Open();
  one->SetRotation({6, 0, 2});
  two->SetRotation({6, 0, 2});
  Write(*one, "one\n");
  Write(*two, "two\n");
  Write(*one, "three\n");  // rotates
  Write(*two, "four\n");   // finds that someone did
  EXPECT_EQ(folder.Read("log.1"), "one\ntwo\n");
  EXPECT_EQ(folder.Read("log.2"), "(none)");
  EXPECT_EQ(folder.Read("log"), "three\nfour\n");
}

TEST_F(FileSinkTest, AnEmptyFileIsNotRotated) {
  const auto sink = Open();
  sink->SetRotation({0, 60 * kSecond, 1});
  clock.now += 3600 * kSecond;
  Write(*sink, "one\n");
  EXPECT_EQ(folder.Read("log.1"), "(none)");
}

TEST_F(FileSinkTest, ARotationThatFailsLosesNothingAndWaits) {
  const auto sink = Open();
  std::filesystem::create_directories(folder.Path("log.1/in the way"));
  sink->SetRotation({4, 0, 1});
  Write(*sink, "aaa\n");
  EXPECT_EQ(sink->Write("bbb\n").reopen_errors, 1U);
  EXPECT_EQ(sink->Write("ccc\n").reopen_errors, 0U);
  EXPECT_EQ(folder.Read("log"), "aaa\nbbb\nccc\n");
  std::filesystem::remove_all(folder.Path("log.1"));
  Write(*sink, "ddd\n");  // not tried again yet
  EXPECT_EQ(folder.Read("log.1"), "(none)");
  clock.now += 60 * kSecond;
  Write(*sink, "eee\n");
  EXPECT_EQ(folder.Read("log"), "eee\n");
  EXPECT_EQ(folder.Read("log.1"), "aaa\nbbb\nccc\nddd\n");
}

TEST_F(FileSinkTest, AFullDiskIsAnError) {
  auto sink = FileSink::Open("/dev/full", clock);
  ASSERT_TRUE(sink);
  const LogSink::Outcome outcome = (*sink)->Write("line\n");
  EXPECT_EQ(outcome.error, ENOSPC);
  EXPECT_EQ(outcome.taken, 0U);
}

TEST_F(FileSinkTest, ANamedPipe) {
  const std::string path = folder.Path("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(FileSink::Open(path, clock));  // nobody reads: an error, not a wait
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  {
    auto sink = FileSink::Open(path, clock);
    ASSERT_TRUE(sink);
    // Until it is full: it says that it would block, and blocks nobody.
    const std::string line = std::string(999, 'x') + "\n";
    LogSink::Outcome outcome;
    for (int i = 0; i < 10'000 && outcome.error == 0; ++i) outcome = (*sink)->Write(line);
    EXPECT_EQ(outcome.error, EAGAIN);
  }
  close(reader);
}

TEST_F(FileSinkTest, StandardErrorIsOurs) {
  const int kept = dup(STDERR_FILENO);
  const int file = open(folder.Path("err").c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_GE(file, 0);
  ASSERT_GE(dup2(file, STDERR_FILENO), 0);
  auto sink = FileSink::Open("/dev/stderr", clock);
  dup2(kept, STDERR_FILENO);
  close(kept);
  close(file);
  ASSERT_TRUE(sink);
  Write(**sink, "one\n");
  EXPECT_EQ(folder.Read("err"), "one\n");
}

}  // namespace
}  // namespace sluice::access_log
