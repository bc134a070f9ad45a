#include "core/server/log_reopening.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <utility>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

using State = FilterLog::State;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class LogReopeningTest : public testing::Test {
 protected:
  LogReopeningTest() {
    EXPECT_TRUE(OpenLog(path_));
    errors_ = directory_.main_row().counter(directory_.Counter({"sluice_test_total", "Errors."}));
  }
  ~LogReopeningTest() override { EXPECT_TRUE(OpenLog("")); }

  std::string Text() { return test::ReadWholeFile(path_); }
  void Look() {
    clock_.Advance(LogReopening::kLookEvery + kMillisecond);
    loop_->RunOnce(0);
  }

  test::TempFolder folder_;
  const std::string path_ = folder_.Path("server.log");
  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create({}).value();
  StatsDirectory directory_{*segment_};
  Counter errors_;
  std::vector<FilterLog> logs_;
};

TEST_F(LogReopeningTest, SaysThatAllAreOpenWhenAllAre) {
  logs_ = {{"/a", State::kReopening}, {"/b", State::kOpen}};
  LogReopening reopening(*loop_, errors_, [this] { return logs_; });
  reopening.Start();
  Look();
  EXPECT_EQ(Text(), "");
  logs_[0].state = State::kOpen;
  Look();
  EXPECT_THAT(Text(), HasSubstr("logs are open anew"));
  EXPECT_EQ(errors_.value(), 0U);
}

TEST_F(LogReopeningTest, CountsThoseThatAreNot) {
  // The second is written by two filters.
  logs_ = {{"/a", State::kOpen}, {"/b", State::kReopening}, {"/b", State::kReopening}};
  LogReopening reopening(*loop_, errors_, [this] { return logs_; });
  reopening.Start();
  logs_[1].state = logs_[2].state = State::kFailed;
  Look();
  EXPECT_THAT(Text(), HasSubstr("1 of 3 logs could not be opened anew"));
  EXPECT_THAT(Text(), Not(HasSubstr("logs are open anew")));
  EXPECT_EQ(errors_.value(), 1U);
  Look();
  EXPECT_EQ(errors_.value(), 1U);
}

TEST_F(LogReopeningTest, TheServersOwnLogStaysWhereItWasIfItCannotBeOpened) {
  const std::string moved = folder_.Path("moved.log");
  std::filesystem::rename(path_, moved);
  ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
  LogReopening reopening(*loop_, errors_, [this] { return logs_; });
  reopening.Start();
  EXPECT_THAT(test::ReadWholeFile(moved), HasSubstr("1 of 1 log could not be opened anew"));
  EXPECT_EQ(errors_.value(), 1U);

  std::filesystem::remove(path_);
  reopening.Start();
  EXPECT_THAT(Text(), HasSubstr("logs are open anew"));
  EXPECT_EQ(errors_.value(), 1U);
}

TEST_F(LogReopeningTest, PathsAreEachThereOnce) {
  EXPECT_THAT(LogPaths({{"/a", State::kOpen}, {path_, State::kOpen}, {"/a", State::kOpen}}),
              ElementsAre(path_, "/a"));
}

}  // namespace
}  // namespace sluice
