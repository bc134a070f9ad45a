#include "filters/access_log/log_file.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/strings.h"

namespace sluice::access_log {
namespace {

// What the sink does is said from outside of the writer's thread.
struct Disk {
  std::mutex lock;
  std::string text;
  size_t room = SIZE_MAX;  // bytes until `error`
  int error = ENOSPC;
  int reopened = 0;
  bool reopen_fails = false;
  std::vector<Rotation> rotations;

  std::string Text() {
    const std::lock_guard<std::mutex> guard(lock);
    return text;
  }
  void SetRoom(size_t size, int error_when_full = ENOSPC) {
    const std::lock_guard<std::mutex> guard(lock);
    room = size;
    error = error_when_full;
  }
};

class FakeSink final : public LogSink {
 public:
  explicit FakeSink(Disk& disk) : disk_(disk) {}
  Outcome Write(std::string_view data) override {
    const std::lock_guard<std::mutex> guard(disk_.lock);
    const size_t taken = std::min(data.size(), disk_.room);
    if (taken == 0) return {0, 0, disk_.error};
    if (disk_.room != SIZE_MAX) disk_.room -= taken;
    disk_.text += data.substr(0, taken);
    return {taken, 0, 0};
  }
  Result<void> Reopen() override {
    const std::lock_guard<std::mutex> guard(disk_.lock);
    if (disk_.reopen_fails) return Fail(Code::kIo, "no");
    ++disk_.reopened;
    disk_.text += "|";
    return {};
  }
  void SetRotation(const Rotation& rotation) override {
    const std::lock_guard<std::mutex> guard(disk_.lock);
    disk_.rotations.push_back(rotation);
  }

 private:
  Disk& disk_;
};

class LogFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<LogFile> Start(size_t buffer = 4096) {
    auto file = LogFile::Start("test", std::make_unique<FakeSink>(disk), buffer, clock);
    EXPECT_TRUE(file);
    return std::move(*file);
  }
  SystemClock clock;
  Disk disk;
};

TEST_F(LogFileTest, WritesWhatWasAppended) {
  const auto file = Start();
  LogRing& ring = file->Ring(0);
  EXPECT_EQ(&ring, &file->Ring(0));
  ASSERT_TRUE(ring.Append("one\n"));
  file->Flush();
  EXPECT_EQ(disk.Text(), "one\n");
  ASSERT_TRUE(ring.Append("two\nthree\n"));
  file->Flush();
  EXPECT_EQ(disk.Text(), "one\ntwo\nthree\n");
  const LogCounts counts = ring.TakeCounts();
  EXPECT_EQ(counts.lines, 3U);
  EXPECT_EQ(counts.bytes, 14U);
  EXPECT_EQ(counts.lost + counts.errors, 0U);
}

TEST_F(LogFileTest, TheEndWritesTheRest) {
  auto file = Start();
  ASSERT_TRUE(file->Ring(0).Append("one\n"));
  ASSERT_TRUE(file->Ring(7).Append("two\n"));
  file.reset();
  EXPECT_EQ(disk.Text(), "one\ntwo\n");
}

TEST_F(LogFileTest, AFullDiskKeepsLinesAndRecovers) {
  const auto file = Start();
  LogRing& ring = file->Ring(0);
  disk.SetRoom(6);
  ASSERT_TRUE(ring.Append("one\ntwo\nthree\n"));
  file->Flush();  // comes back although nothing more can be written
  EXPECT_EQ(disk.Text(), "one\ntw");
  ASSERT_TRUE(ring.Append("four\n"));
  file->Flush();
  EXPECT_EQ(disk.Text(), "one\ntw");
  EXPECT_GE(ring.TakeCounts().errors, 1U);
  disk.SetRoom(SIZE_MAX);
  file->Flush();
  EXPECT_EQ(disk.Text(), "one\ntwo\nthree\nfour\n");
}

TEST_F(LogFileTest, AFullDiskAndAFullRingRefuseTheWorkerAtOnce) {
  const auto file = Start(64);
  LogRing& ring = file->Ring(0);
  disk.SetRoom(0);
  const std::string line = "0123456789abcde\n";
  ASSERT_TRUE(ring.Append(line));
  file->Flush();
  int taken = 0;
  while (ring.Append(line)) ++taken;
  EXPECT_EQ(taken, 4);
  disk.SetRoom(SIZE_MAX);
  file->Flush();
  EXPECT_TRUE(ring.Append(line));
}

TEST_F(LogFileTest, WhatCannotBeWrittenAtTheEndIsGivenUp) {
  auto file = Start();
  disk.SetRoom(6);
  ASSERT_TRUE(file->Ring(0).Append("one\ntwo\nthree\n"));
  ASSERT_TRUE(file->Ring(1).Append("four\n"));
  file.reset();  // comes back
  EXPECT_EQ(disk.Text(), "one\ntw");
}

TEST_F(LogFileTest, AReaderThatTakesNothingDoesNotHoldTheEndUp) {
  auto file = Start();
  disk.SetRoom(0, EAGAIN);
  ASSERT_TRUE(file->Ring(0).Append("one\n"));
  file.reset();
  EXPECT_EQ(disk.Text(), "");
}

TEST_F(LogFileTest, ReopensBehindWhatWasAppendedBefore) {
  const auto file = Start();
  LogRing& ring = file->Ring(0);
  ASSERT_TRUE(ring.Append("one\n"));
  file->Reopen();
  file->Flush();
  ASSERT_TRUE(ring.Append("two\n"));
  file->Flush();
  EXPECT_EQ(disk.Text(), "one\n|two\n");
}

TEST_F(LogFileTest, NoHalfALineInTheNewFile) {
  const auto file = Start();
  LogRing& ring = file->Ring(0);
  disk.SetRoom(6);
  ASSERT_TRUE(ring.Append("one\ntwo\nthree\n"));
  file->Flush();
  file->Reopen();
  file->Flush();
  disk.SetRoom(SIZE_MAX);
  file->Flush();
  EXPECT_EQ(disk.Text(), "one\ntw|three\n");
  const LogCounts counts = ring.TakeCounts();
  EXPECT_EQ(counts.lost, 1U);
  EXPECT_EQ(counts.lines, 2U);
}

TEST_F(LogFileTest, AReopenThatFailsKeepsWriting) {
  const auto file = Start();
  {
    const std::lock_guard<std::mutex> guard(disk.lock);
    disk.reopen_fails = true;
  }
  ASSERT_TRUE(file->Ring(0).Append("one\n"));
  file->Reopen();
  file->Flush();
  EXPECT_EQ(disk.Text(), "one\n");
  EXPECT_EQ(file->Ring(0).TakeCounts().reopen_errors, 1U);
  EXPECT_EQ(file->reopened(), FilterLog::State::kFailed);
  {
    const std::lock_guard<std::mutex> guard(disk.lock);  // the thread waits for it
    disk.reopen_fails = false;
    file->Reopen();
    EXPECT_EQ(file->reopened(), FilterLog::State::kReopening);
  }
  file->Flush();
  EXPECT_EQ(file->reopened(), FilterLog::State::kOpen);
}

TEST_F(LogFileTest, TheLastOneWhoWantsRotationCounts) {
  const auto file = Start();
  const int a = 0;
  const int b = 0;
  const auto now = [&] {
    file->Flush();
    const std::lock_guard<std::mutex> guard(disk.lock);
    return disk.rotations.empty() ? uint64_t{0} : disk.rotations.back().size;
  };
  file->SetRotation(&a, {100, 0, 1});
  EXPECT_EQ(now(), 100U);
  file->SetRotation(&b, {200, 0, 1});
  EXPECT_EQ(now(), 200U);
  file->SetRotation(&a, {100, 0, 1});  // another worker of the same: nothing new
  EXPECT_EQ(now(), 200U);
  file->DropRotation(&b);
  EXPECT_EQ(now(), 100U);
  file->DropRotation(&a);
  EXPECT_EQ(now(), 0U);
}

TEST_F(LogFileTest, SeveralWorkersAtOnce) {
  constexpr uint32_t kWorkers = 4;
  constexpr int kLines = 5'000;
  auto file = Start(1024);
  std::atomic<uint64_t> dropped{0};
  std::vector<std::thread> workers;
  for (uint32_t w = 0; w < kWorkers; ++w) {
    workers.emplace_back([&, w] {
      LogRing& ring = file->Ring(w);
      for (int i = 0; i < kLines; ++i) {
        const std::string line = std::to_string(w) + " " + std::to_string(i) + "\n";
        if (!ring.Append(line)) dropped.fetch_add(1);
        if (ring.HalfFull()) file->Wake();
      }
    });
  }
  for (int i = 0; i < 20; ++i) file->Reopen();
  for (std::thread& worker : workers) worker.join();
  file->Flush();
  uint64_t counted = 0;
  for (uint32_t w = 0; w < kWorkers; ++w) counted += file->Ring(w).TakeCounts().lines;
  file.reset();
  EXPECT_EQ(counted + dropped, kWorkers * static_cast<uint64_t>(kLines));

  // Each worker's lines are whole and in order.
  std::string text = disk.Text();
  std::erase(text, '|');
  std::vector<int64_t> last(kWorkers, -1);
  uint64_t lines = 0;
  for (size_t at = 0; at < text.size(); ++lines) {
    const size_t end = text.find('\n', at);
    ASSERT_NE(end, std::string::npos);
    const std::string_view line(text.data() + at, end - at);
    const size_t blank = line.find(' ');
    const auto worker = ParseDecimal(line.substr(0, blank));
    const auto number = ParseDecimal(line.substr(blank + 1));
    ASSERT_TRUE(worker && number && *worker < kWorkers) << line;
    ASSERT_GT(static_cast<int64_t>(*number), last[*worker]);
    last[*worker] = static_cast<int64_t>(*number);
    at = end + 1;
  }
  EXPECT_EQ(lines, counted);
}

TEST_F(LogFileTest, OneFileForAllWhoNameIt) {
  int made = 0;
  const auto make = [&]() -> Result<std::unique_ptr<LogFile>> {
    ++made;
    return Start();
  };
  {
    auto first = LogFileRef::Acquire("key", make);
    auto second = LogFileRef::Acquire("key", make);
    auto other = LogFileRef::Acquire("other", make);
    ASSERT_TRUE(first && second && other);
    EXPECT_EQ(made, 2);
    EXPECT_EQ(&(*first)->Ring(0), &(*second)->Ring(0));
    EXPECT_NE(&(*first)->Ring(0), &(*other)->Ring(0));
    ASSERT_TRUE((*first)->Ring(0).Append("one\n"));
    *first = LogFileRef();
  }
  EXPECT_EQ(disk.Text(), "one\n");
  EXPECT_TRUE(LogFileRef::Acquire("key", make));
  EXPECT_EQ(made, 3);
  EXPECT_FALSE(LogFileRef::Acquire("bad", [] { return Fail(Code::kIo, "no"); }));
}

}  // namespace
}  // namespace sluice::access_log
