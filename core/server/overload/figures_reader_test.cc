#include "core/server/overload/figures_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <memory>
#include <string_view>

#include "core/base/strings.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

// Figures of a /proc and a cgroup of the test's own.
class FiguresReaderTest : public testing::Test {
 protected:
  FiguresReaderTest() {
    for (const char* name : {"self", "self/fd", "cgroup", "cgroup/web"}) {
      EXPECT_EQ(mkdir(folder_.Path(name).c_str(), 0700), 0);
    }
    folder_.Write("meminfo", "MemTotal:    1000 kB\nMemFree:  10 kB\nMemAvailable:  400 kB\n");
  }
  void WriteCgroup(std::string_view max, std::string_view current, std::string_view stat) {
    folder_.Write("self/cgroup", "0::/web\n");
    folder_.Write("self/mountinfo",
                  StrCat({"30 23 0:26 / ", folder_.Path("cgroup"), " rw - cgroup2 cgroup2 rw\n"}));
    folder_.Write("cgroup/web/memory.max", max);
    folder_.Write("cgroup/web/memory.current", current);
    folder_.Write("cgroup/web/memory.stat", stat);
  }
  OverloadFigures Read() {
    if (reader_ == nullptr) {
      reader_ = std::make_unique<FiguresReader>(folder_.path(), connections_, 0, lag_);
    }
    return reader_->Read();
  }

  test::TempFolder folder_;
  ConnectionLimit connections_{10};
  LagPeak lag_;
  std::unique_ptr<FiguresReader> reader_;
};

TEST_F(FiguresReaderTest, TheMachinesMemoryWithoutACgroup) {
  EXPECT_DOUBLE_EQ(Read().machine_memory.value_or(-1), 0.6);
  EXPECT_FALSE(Read().memory);
}

TEST_F(FiguresReaderTest, TheCgroupsMemoryIfItHasALimit) {
  WriteCgroup("1000\n", "900\n", "anon 600\nfile 300\ninactive_file 200\nactive_file 100\n");
  EXPECT_DOUBLE_EQ(Read().memory.value_or(-1), 0.7) << "what can be taken back is not in use";
}

TEST_F(FiguresReaderTest, OnlyTheMachinesWhereNoCgroupHasOne) {
  WriteCgroup("max\n", "900\n", "inactive_file 200\n");
  EXPECT_FALSE(Read().memory);
  EXPECT_DOUBLE_EQ(Read().machine_memory.value_or(-1), 0.6);
}

TEST_F(FiguresReaderTest, TheNearestCgroupWithALimit) {
  WriteCgroup("max\n", "100\n", "inactive_file 0\n");
  folder_.Write("cgroup/memory.max", "1000\n");
  folder_.Write("cgroup/memory.current", "700\n");
  folder_.Write("cgroup/memory.stat", "inactive_file 100\n");
  EXPECT_DOUBLE_EQ(Read().memory.value_or(-1), 0.6);
  folder_.Write("cgroup/web/memory.max", "200\n");
  reader_.reset();
  EXPECT_DOUBLE_EQ(Read().memory.value_or(-1), 0.5);
}

TEST_F(FiguresReaderTest, NothingWhereNobodySays) {
  folder_.Write("meminfo", "MemTotal:  0 kB\n");
  EXPECT_FALSE(Read().memory);
  EXPECT_FALSE(Read().machine_memory);
  EXPECT_FALSE(Read().fds);
}

TEST_F(FiguresReaderTest, Connections) {
  EXPECT_DOUBLE_EQ(Read().connections.value_or(-1), 0);
  for (int i = 0; i < 9; ++i) connections_.Acquire();
  EXPECT_DOUBLE_EQ(Read().connections.value_or(-1), 0.9);
  connections_.set_most(0);
  EXPECT_FALSE(Read().connections) << "there is no limit";
}

TEST_F(FiguresReaderTest, OpenFilesOfTheProcess) {
  FiguresReader reader("/proc", connections_, 1'000'000, lag_);
  const double share = reader.Read().fds.value_or(-1);
  EXPECT_GT(share, 0);
  EXPECT_LT(share, 0.01);
}

TEST_F(FiguresReaderTest, TheWorstLagSinceTheLastLook) {
  for (const Nanos lag : {5 * kMillisecond, 70 * kMillisecond, 20 * kMillisecond}) {
    lag_.OnLag(lag);
  }
  EXPECT_EQ(Read().loop_lag, 70 * kMillisecond);
  EXPECT_EQ(Read().loop_lag, 0);
}

}  // namespace
}  // namespace sluice
