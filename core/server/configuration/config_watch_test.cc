#include "core/server/configuration/config_watch.h"

#include <gmock/gmock.h>

#include <filesystem>
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
using ::testing::IsEmpty;

class ConfigWatchTest : public testing::Test, public ConfigTarget {
 protected:
  // ConfigTarget
  std::string WhyNoConfig() const override { return ""; }
  Result<void> UseConfig(LoadedConfig loaded) override {
    used_.push_back(loaded.config->id());
    return {};
  }
  Result<void> TryConfig(LoadedConfig) override { return {}; }

  static std::string Text(std::string_view id) {
    return "id: " + std::string(id) +
           "\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n"
           "    routes: [{ match: /, respond: 200 }]\n";
  }
  void WriteFile(std::string_view id) { file_ = folder_.Write("sluice.yaml", Text(id)); }
  void Begin(std::string_view id) {
    WriteFile(id);
    ConfigDeskOptions options;
    options.file = file_;
    desk_.emplace(*loop_, directory_, *this, std::move(options));
    desk_->Begin(LoadWholeConfig(file_).value(), {ConfigSource::kStart, "root", ""});
    desk_->OnLive();
    watch_.emplace(*loop_, *desk_);
  }
  // It serves, and has looked whether its file is the same still.
  void Start(std::string_view id) {
    Begin(id);
    watch_->Start();
    Rest();
  }
  void Turn() {
    for (int i = 0; i < 3; ++i) loop_->RunOnce(0);
  }
  void Pass(Nanos time) {
    Turn();
    clock_.Advance(time);
    Turn();
  }
  void Rest() { Pass(ConfigWatch::kQuiet); }
  uint64_t Reloads(std::string_view result) {
    const StatsReader reader(*segment_);
    return reader.counter(
        reader.Find("sluice_server_reloads_total", {{"source", "watch"}, {"result", result}})
            .value());
  }

  test::TempFolder folder_;
  std::string file_;
  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create({}).value();
  StatsDirectory directory_{*segment_};
  std::optional<ConfigDesk> desk_;
  std::optional<ConfigWatch> watch_;
  std::vector<std::string> used_;
};

TEST_F(ConfigWatchTest, AChangeIsUsedWhenItRests) {
  Start("one");
  EXPECT_EQ(Reloads("unchanged"), 1U);
  WriteFile("second");
  Pass(ConfigWatch::kQuiet - kMillisecond);
  EXPECT_THAT(used_, IsEmpty());
  WriteFile("the-third");
  Pass(ConfigWatch::kQuiet - kMillisecond);
  EXPECT_THAT(used_, IsEmpty());
  Pass(kMillisecond);
  EXPECT_THAT(used_, ElementsAre("the-third"));
}

TEST_F(ConfigWatchTest, AFileThatNeverRestsIsReadAllTheSame) {
  Start("one");
  for (size_t i = 1; used_.empty() && i < 100; ++i) {
    WriteFile("x" + std::string(i, 'x'));
    Pass(400 * kMillisecond);
  }
  EXPECT_THAT(used_, ElementsAre("x" + std::string(13, 'x')));  // after 5 s
}

TEST_F(ConfigWatchTest, ABadFileChangesNothing) {
  Start("one");
  testing::internal::CaptureStderr();
  folder_.Write("sluice.yaml", "listeners: [{ name: web, lissten: 1 }]\n");
  Rest();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("error config: nothing is changed (watch, watch: changed: " + file_ +
                             "): " + file_ + ":1:26: listeners[0]: unknown field"));
  EXPECT_THAT(log, HasSubstr("\"listen\" is missing"));  // all of them
  EXPECT_THAT(used_, IsEmpty());
  std::filesystem::remove(file_);
  Rest();
  EXPECT_EQ(Reloads("refused"), 2U);
  WriteFile("better");
  Rest();
  EXPECT_THAT(used_, ElementsAre("better"));
}

TEST_F(ConfigWatchTest, TheSameContentIsNothing) {
  Start("one");
  std::filesystem::rename(folder_.Write("new.yaml", Text("one")), file_);
  testing::internal::CaptureStderr();
  Rest();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(Reloads("unchanged"), 2U);
  EXPECT_THAT(used_, IsEmpty());
}

TEST_F(ConfigWatchTest, SecretsAreWatchedToo) {
  const std::string secret = folder_.Path("secret");
  folder_.Write("secret", "first");
  Start("${file:" + secret + "}");
  folder_.Write("secret", "the-second");
  Rest();
  EXPECT_THAT(used_, ElementsAre("the-second"));
  // Also those of a file that could not be used without them.
  WriteFile("${file:" + folder_.Path("other") + "}");
  Rest();
  EXPECT_EQ(Reloads("refused"), 1U);
  folder_.Write("other", "third");
  Rest();
  EXPECT_THAT(used_, ElementsAre("the-second", "third"));
}

// The file gives way to it until the file itself changes.
TEST_F(ConfigWatchTest, WhatWasPostedStaysWhileTheFileIsAsItWas) {
  folder_.Write("secret", "first");
  const std::string secret = "${file:" + folder_.Path("secret") + "}";
  Start("one");
  ASSERT_TRUE(desk_->Put(Text(secret), ConfigFormat::kYaml, "*", false,
                         {ConfigSource::kHttp, "10.0.0.1", ""}));
  // The same again, but whoever wrote it wants it.
  std::filesystem::rename(folder_.Write("new.yaml", Text("one")), file_);
  Rest();
  EXPECT_THAT(used_, ElementsAre("first", "one"));
  ASSERT_TRUE(desk_->Put(Text(secret), ConfigFormat::kYaml, "*", false,
                         {ConfigSource::kHttp, "10.0.0.1", ""}));
  folder_.Write("secret", "the-second");
  Rest();
  EXPECT_THAT(used_, ElementsAre("first", "one", "first", "the-second"));
  EXPECT_TRUE(desk_->differs_from_file());
}

TEST_F(ConfigWatchTest, WhatChangedBeforeItServedIsSeen) {
  Begin("one");
  WriteFile("two");
  watch_->Start();
  Rest();
  EXPECT_THAT(used_, ElementsAre("two"));
}

TEST_F(ConfigWatchTest, NothingIsReadWhileStopped) {
  Start("one");
  WriteFile("second");
  Turn();
  watch_->Stop();
  Rest();
  Rest();
  EXPECT_THAT(used_, IsEmpty());
  watch_->Start();
  Rest();
  EXPECT_THAT(used_, ElementsAre("second"));
  // Begun again without a change it reads nothing.
  watch_->Stop();
  watch_->Start();
  Rest();
  EXPECT_EQ(Reloads("unchanged"), 1U);
}

}  // namespace
}  // namespace sluice
