#include "core/server/configuration/config_guard.h"

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config/config.pb.h"
#include "core/server/configuration/config_desk.h"
#include "core/server/configuration/whole_config.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kGuard = "{ window: 10s, before: 5s, min_responses: 10 }";

class ConfigGuardTest : public testing::Test, public ConfigTarget {
 protected:
  // ConfigTarget
  std::string WhyNoConfig() const override { return why_not_; }
  Result<void> UseConfig(LoadedConfig loaded) override {
    used_.push_back(loaded.config->id());
    return {};
  }
  Result<void> TryConfig(LoadedConfig) override { return {}; }

  static std::string Text(std::string_view id, std::string_view guard = kGuard) {
    return "id: " + std::string(id) + (guard.empty() ? "" : "\nguard: " + std::string(guard)) +
           "\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n"
           "    routes: [{ match: /, respond: 200 }]\n";
  }
  void Start(std::string_view guard = kGuard) {
    ConfigDeskOptions options;
    options.file = folder_.Write("sluice.yaml", Text("one", guard));
    options.state_folder = state_;
    options.keep = keep_;
    desk_.emplace(*loop_, directory_, *this, options);
    desk_->Begin(LoadWholeConfig(options.file).value(), {ConfigSource::kStart, "root", ""});
    desk_->OnLive();
    guard_.emplace(*loop_, directory_, *desk_,
                   [this](bool) { return std::exchange(answered_, ResponseCounts()); });
    guard_->Start();
  }
  void Use(std::string_view id, std::string_view guard = kGuard) {
    ASSERT_TRUE(desk_->Put(Text(id, guard), ConfigFormat::kYaml, "*", false,
                           {ConfigSource::kHttp, "10.0.0.1", ""}));
  }
  // Seconds in each of which so many are answered, `failed` of them with 5xx.
  void Seconds(int count, uint64_t all, uint64_t failed) {
    for (int i = 0; i < count; ++i) {
      answered_.all += all;
      answered_.failed += failed;
      clock_.Advance(kSecond);
      loop_->RunOnce(0);
    }
  }
  uint64_t Windows(std::string_view result) {
    const StatsReader reader(*segment_);
    return reader.counter(
        reader.Find("sluice_server_config_guard_windows_total", {{"result", result}}).value());
  }
  int64_t Open() {
    const StatsReader reader(*segment_);
    return reader.gauge(reader.Find("sluice_server_config_guard_open").value());
  }

  test::TempFolder folder_;
  std::string state_ = folder_.Path("state");
  size_t keep_ = 50;
  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create({}).value();
  StatsDirectory directory_{*segment_};
  std::optional<ConfigDesk> desk_;
  std::optional<ConfigGuard> guard_;
  ResponseCounts answered_;
  std::string why_not_;
  std::vector<std::string> used_;
};

TEST_F(ConfigGuardTest, ItGoesBackFromWhatAnswersErrors) {
  Start();
  Seconds(5, 10, 0);
  Use("two");
  EXPECT_EQ(Open(), 1);
  testing::internal::CaptureStderr();
  Seconds(1, 10, 4);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(used_, ElementsAre("two", "one"));
  EXPECT_EQ(desk_->current().version, 3U);
  EXPECT_EQ(desk_->current().text, Text("one"));
  EXPECT_EQ(desk_->current().author, "guard");
  EXPECT_EQ(desk_->current().source, "guard");
  const std::string why =
      "4 of 10 responses (40.0%) were 5xx within 1s of version 2, 0 of 50 responses (0.0%) before";
  EXPECT_EQ(desk_->current().reason, "rollback to version 1: " + why);
  EXPECT_THAT(log, HasSubstr("error guard: rolled back to version 1, as version 3: " + why));
  EXPECT_EQ(Windows("rolled_back"), 1U);
  EXPECT_EQ(Open(), 0);
  // Its own rollback is not guarded.
  Seconds(20, 10, 10);
  EXPECT_THAT(used_, ElementsAre("two", "one"));
}

TEST_F(ConfigGuardTest, WhatStandsItsWindowIsTheOneToGoBackTo) {
  Start();
  Use("two");
  Seconds(10, 10, 0);
  EXPECT_EQ(Windows("stood"), 1U);
  EXPECT_EQ(Open(), 0);
  Seconds(1, 10, 10);  // too late
  EXPECT_THAT(used_, ElementsAre("two"));
  Seconds(5, 10, 0);
  Use("three");
  Seconds(1, 10, 10);
  EXPECT_THAT(used_, ElementsAre("two", "three", "two"));
}

// "two" was never proven.
TEST_F(ConfigGuardTest, ASecondChangeInTheWindowGoesBackBehindTheFirst) {
  Start();
  Seconds(5, 10, 0);
  Use("two");
  Seconds(5, 100, 4);
  Use("three");
  EXPECT_EQ(Windows("replaced"), 1U);
  Seconds(9, 0, 0);
  EXPECT_EQ(Open(), 1);  // a window of its own
  Seconds(1, 100, 6);    // 4% more than "two", 6% more than "one"
  EXPECT_THAT(used_, ElementsAre("two", "three", "one"));
}

TEST_F(ConfigGuardTest, WhoGoesBackByHandIsNotGuarded) {
  Start();
  Seconds(5, 10, 0);
  Use("two");
  ASSERT_TRUE(desk_->Rollback(1, {ConfigSource::kCommand, "root", ""}));
  EXPECT_EQ(Open(), 0);
  Seconds(10, 10, 10);
  EXPECT_THAT(used_, ElementsAre("two", "one"));
}

TEST_F(ConfigGuardTest, WithoutAFolderItGoesBackAllTheSame) {
  state_ = folder_.Write("blocked", "") + "/state";
  Start();
  ASSERT_EQ(desk_->history(), nullptr);
  Use("two");
  Seconds(1, 10, 10);
  EXPECT_THAT(used_, ElementsAre("two", "one"));
  EXPECT_EQ(desk_->current().version, 3U);
}

TEST_F(ConfigGuardTest, AHistoryThatForgotItDoesNotMatter) {
  keep_ = 1;
  Start();
  Use("two");
  Seconds(1, 10, 10);
  EXPECT_THAT(used_, ElementsAre("two", "one"));
}

TEST_F(ConfigGuardTest, WithoutAGuardNothingHappens) {
  Start("");
  EXPECT_EQ(loop_->timers().size(), 0U);
  Use("two", "");
  Seconds(5, 100, 100);
  // The first with a guard has nothing to be compared with; it is trusted.
  Use("three");
  EXPECT_EQ(Open(), 0);
  Seconds(5, 100, 0);
  Use("four");
  Seconds(1, 100, 100);
  EXPECT_THAT(used_, ElementsAre("two", "three", "four", "three"));
  // One that has none is what its author wants.
  Use("five", "");
  EXPECT_EQ(loop_->timers().size(), 0U);
  Seconds(5, 100, 100);
  EXPECT_EQ(used_.back(), "five");
}

TEST_F(ConfigGuardTest, WhatCannotBeUsedIsSaidOnce) {
  Start();
  Use("two");
  why_not_ = "no";
  testing::internal::CaptureStderr();
  Seconds(3, 10, 10);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("error guard: version 2 stays in use, version 1 cannot be used: "));
  EXPECT_EQ(Windows("failed"), 1U);
  why_not_.clear();
  // Still "one" is the last that was good.
  Use("three");
  Seconds(1, 10, 10);
  EXPECT_THAT(used_, ElementsAre("two", "three", "one"));
}

TEST_F(ConfigGuardTest, AHandOverThatIsUndoneBeginsTheWindowAnew) {
  Start();
  Seconds(5, 10, 0);
  Use("two");
  Seconds(8, 10, 0);
  guard_->Stop();
  Seconds(60, 10, 10);
  EXPECT_THAT(used_, ElementsAre("two"));
  guard_->Start();
  EXPECT_EQ(Open(), 1);
  Seconds(9, 10, 0);
  EXPECT_EQ(Open(), 1);
  Seconds(1, 100, 100);
  EXPECT_THAT(used_, ElementsAre("two", "one"));
}

}  // namespace
}  // namespace sluice
