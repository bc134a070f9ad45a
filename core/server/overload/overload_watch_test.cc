#include "core/server/overload/overload_watch.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/config/config.pb.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

constexpr auto kKeepAlive = OverloadStep::kStopKeepAlive;
constexpr auto kShed = OverloadStep::kShedLowPriority;
constexpr auto kRefuse = OverloadStep::kRefuseConnections;

class OverloadWatchTest : public ::testing::Test {
 protected:
  OverloadWatchTest() {
    SetSteps(*config_.mutable_memory());
    watch_.Use(config_);
  }
  static void SetSteps(config::OverloadSteps& steps) {
    steps.set_stop_keep_alive(80);
    steps.set_shed_low_priority(90);
    steps.set_refuse_connections(95);
  }
  // "ksr" if all three steps are taken.
  std::string Taken() const {
    return std::string(status_.overloaded(kKeepAlive) ? "k" : "") +
           (status_.overloaded(kShed) ? "s" : "") + (status_.overloaded(kRefuse) ? "r" : "");
  }
  std::string At(double memory) {
    figures_.memory = memory;
    watch_.Look();
    return Taken();
  }
  int64_t Shown(std::string_view resource, std::string_view step) {
    return directory_.main_row()
        .gauge(directory_.Gauge({"sluice_overload_step", ""},
                                {{"resource", resource}, {"step", step}}))
        .value();
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = std::move(*Loop::Create(clock_));
  std::unique_ptr<StatsSegment> segment_ = std::move(*StatsSegment::Create({}));
  StatsDirectory directory_{*segment_};
  ServerStatus status_;
  OverloadFigures figures_;
  std::vector<bool> heard_;
  config::Overload config_;
  OverloadWatch watch_{*loop_, directory_, status_, [this] { return figures_; },
                       [this](bool taken) { heard_.push_back(taken); }};
};

TEST_F(OverloadWatchTest, StepsAreTakenOneAfterAnother) {
  EXPECT_EQ(At(0.79), "");
  EXPECT_EQ(At(0.80), "k");
  EXPECT_EQ(At(0.92), "ks");
  EXPECT_EQ(At(0.99), "ksr");
}

TEST_F(OverloadWatchTest, AndTakenBackFivePercentBelow) {
  At(0.99);
  EXPECT_EQ(At(0.91), "ksr");
  EXPECT_EQ(At(0.90), "ks") << "95% of 95%: 90.25%";
  EXPECT_EQ(At(0.86), "ks");
  EXPECT_EQ(At(0.85), "k");
  EXPECT_EQ(At(0.76), "k");
  EXPECT_EQ(At(0.75), "");
  EXPECT_EQ(At(0.79), "") << "until the threshold is reached again";
}

TEST_F(OverloadWatchTest, AllAtOnceIfNeedBe) {
  EXPECT_EQ(At(1), "ksr");
  EXPECT_EQ(At(0), "");
  EXPECT_EQ(heard_, (std::vector<bool>{true, false}));
}

TEST_F(OverloadWatchTest, KeepAliveIsToldOfOnce) {
  At(0.81);
  At(0.85);
  At(0.96);
  EXPECT_EQ(heard_, std::vector<bool>{true});
  EXPECT_FALSE(status_.closing());
  EXPECT_TRUE(status_.ends_connections());
}

TEST_F(OverloadWatchTest, EachStepIsShown) {
  EXPECT_EQ(Shown("memory", "shed_low_priority"), 0);
  At(0.91);
  EXPECT_EQ(Shown("memory", "stop_keep_alive"), 1);
  EXPECT_EQ(Shown("memory", "shed_low_priority"), 1);
  EXPECT_EQ(Shown("memory", "refuse_connections"), 0);
  EXPECT_EQ(Shown("fds", "shed_low_priority"), 0);
  At(0.5);
  EXPECT_EQ(Shown("memory", "shed_low_priority"), 0);
}

TEST_F(OverloadWatchTest, WhatIsShortOfOneResourceIsShort) {
  SetSteps(*config_.mutable_fds());
  SetSteps(*config_.mutable_connections());
  watch_.Use(config_);
  figures_.fds = 0.91;
  figures_.connections = 0.96;
  EXPECT_EQ(At(0.85), "ksr");
  figures_.connections = 0.1;
  EXPECT_EQ(At(0.1), "ks");
  figures_.fds = 0.1;
  EXPECT_EQ(At(0.1), "");
}

TEST_F(OverloadWatchTest, LoopLagIsATime) {
  config::OverloadLagSteps& lag = *config_.mutable_loop_lag();
  lag.set_stop_keep_alive(50 * kMillisecond);
  lag.set_shed_low_priority(100 * kMillisecond);
  lag.set_refuse_connections(500 * kMillisecond);
  watch_.Use(config_);
  figures_.loop_lag = 49 * kMillisecond;
  EXPECT_EQ(At(0), "");
  figures_.loop_lag = 120 * kMillisecond;
  EXPECT_EQ(At(0), "ks");
  figures_.loop_lag = 94 * kMillisecond;
  EXPECT_EQ(At(0), "k");
}

TEST_F(OverloadWatchTest, WhatIsNotConfiguredOrNotKnownHasNoSteps) {
  figures_.fds = 1;
  figures_.connections = 1;
  figures_.loop_lag = kSecond;
  watch_.Look();
  EXPECT_EQ(Taken(), "");
  figures_ = {};
  watch_.Look();
  EXPECT_EQ(Taken(), "");
  config_.mutable_memory()->set_stop_keep_alive(0);
  watch_.Use(config_);
  EXPECT_EQ(At(0.99), "sr") << "0% is never";
}

TEST_F(OverloadWatchTest, AnotherConfigurationTakesStepsBack) {
  SetSteps(*config_.mutable_fds());
  watch_.Use(config_);
  figures_.fds = 0.99;
  EXPECT_EQ(At(0), "ksr");
  watch_.Use(config::Overload());
  EXPECT_EQ(At(0), "");
}

TEST_F(OverloadWatchTest, ACgroupsLimitHasTheUsualStepsByDefault) {
  watch_.Use(config::Overload());
  EXPECT_EQ(At(0.84), "");
  EXPECT_EQ(At(0.86), "k");
  EXPECT_EQ(At(0.96), "ksr");
}

// Others use it too, and what they use cannot be given back by giving up anything here.
TEST_F(OverloadWatchTest, TheMachinesMemoryHasStepsOnlyIfTheyAreWritten) {
  figures_.machine_memory = 0.99;
  watch_.Look();
  EXPECT_EQ(Taken(), "ksr");
  EXPECT_EQ(At(0.5), "") << "a cgroup's limit counts first";
  figures_.memory.reset();
  watch_.Use(config::Overload());
  watch_.Look();
  EXPECT_EQ(Taken(), "");
}

TEST_F(OverloadWatchTest, TheLogSaysTenths) {
  const test::TempFolder folder;
  ASSERT_TRUE(OpenLog(folder.Path("log")));
  At(0.9512);
  At(0.001);
  ASSERT_TRUE(OpenLog(""));
  const std::string log = test::ReadWholeFile(folder.Path("log"));
  EXPECT_NE(log.find("memory 95.1%: new connections are refused (refuse_connections, from 95% on)"),
            std::string::npos)
      << log;
  EXPECT_NE(log.find("memory 0.1%: refuse_connections is taken back"), std::string::npos) << log;
}

TEST_F(OverloadWatchTest, LooksEachSecond) {
  figures_.memory = 0.99;
  clock_.Advance(kSecond - 2 * kMillisecond);
  loop_->RunOnce(0);
  EXPECT_EQ(Taken(), "");
  clock_.Advance(4 * kMillisecond);
  loop_->RunOnce(0);
  EXPECT_EQ(Taken(), "ksr");
  figures_.memory = 0;
  clock_.Advance(kSecond + 2 * kMillisecond);
  loop_->RunOnce(0);
  EXPECT_EQ(Taken(), "");
}

}  // namespace
}  // namespace sluice
