#include "core/server/configuration/config_desk.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config/config.pb.h"
#include "core/server/configuration/state_folder.h"
#include "core/server/configuration/whole_config.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ConfigDeskTest : public testing::Test, public ConfigTarget {
 protected:
  ConfigDeskTest() { WriteFile("one"); }

  // ConfigTarget
  std::string WhyNoConfig() const override { return why_not_; }
  Result<void> UseConfig(LoadedConfig loaded) override {
    if (!refusal_.empty()) return Fail(Code::kIo, refusal_);
    used_.push_back(loaded.config->id());
    return {};
  }
  Result<void> TryConfig(LoadedConfig loaded) override {
    tried_.push_back(loaded.config->id());
    if (!refusal_.empty()) return Fail(Code::kIo, refusal_);
    return {};
  }

  // A configuration with that id.
  static std::string Text(std::string_view id) {
    return "id: " + std::string(id) +
           "\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n"
           "    routes: [{ match: /, respond: 200 }]\n";
  }
  void WriteFile(std::string_view id) { file_ = folder_.Write("sluice.yaml", Text(id)); }

  void Start() {
    ConfigDeskOptions options;
    options.file = file_;
    options.state_folder = state_;
    options.keep = 3;
    desk_.emplace(*loop_, directory_, *this, std::move(options));
    desk_->Begin(LoadWholeConfig(file_).value(), {ConfigSource::kStart, "root", ""});
    desk_->OnLive();
  }
  Result<ConfigOutcome> Reload() {
    return desk_->ReloadFile({ConfigSource::kCommand, "root", "why"});
  }
  Result<ConfigOutcome> Put(const std::string& text, std::string_view if_match = "*",
                            bool dry_run = false) {
    return desk_->Put(text, ConfigFormat::kYaml, if_match, dry_run,
                      {ConfigSource::kHttp, "10.0.0.1", ""});
  }
  Result<ConfigOutcome> Rollback(uint64_t version) {
    return desk_->Rollback(version, {ConfigSource::kCommand, "root", ""});
  }
  uint64_t Count(std::string_view name, const LabelList& labels = {}) {
    const StatsReader reader(*segment_);
    const auto id = reader.Find(name, labels);
    return id ? reader.counter(*id) : 0;
  }
  int64_t Gauge(std::string_view name) {
    const StatsReader reader(*segment_);
    return reader.gauge(reader.Find(name).value());
  }

  test::TempFolder folder_;
  std::string file_;
  std::string state_ = folder_.Path("state");
  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create({}).value();
  StatsDirectory directory_{*segment_};
  std::optional<ConfigDesk> desk_;
  std::string why_not_;
  std::string refusal_;
  std::vector<std::string> used_;
  std::vector<std::string> tried_;
};

TEST_F(ConfigDeskTest, WhatIsUsedIsKept) {
  Start();
  EXPECT_EQ(desk_->current().version, 1U);
  EXPECT_EQ(desk_->current().source, "start");
  WriteFile("two");
  const ConfigOutcome outcome = Reload().value();
  EXPECT_EQ(outcome.Text(), "reloaded: version 2");
  EXPECT_THAT(used_, ElementsAre("two"));
  const ConfigVersion kept = desk_->history()->Get(2).value();
  EXPECT_EQ(kept.text, Text("two"));
  EXPECT_EQ(kept.parent, 1U);
  EXPECT_EQ(kept.author, "root");
  EXPECT_EQ(kept.reason, "why");
  EXPECT_EQ(kept.source, "command");
  EXPECT_EQ(kept.file, file_);
  EXPECT_EQ(kept.time, clock_.Wall() / kSecond);
  EXPECT_EQ(Count("sluice_server_reloads_total", {{"source", "command"}, {"result", "applied"}}),
            1U);
  EXPECT_EQ(Gauge("sluice_server_config_version"), 2);
  EXPECT_EQ(Gauge("sluice_server_config_hash"),
            std::stoll(ConfigHash(Text("two")).substr(0, 12), nullptr, 16));
}

TEST_F(ConfigDeskTest, TheSameAgainIsNothing) {
  Start();
  const ConfigOutcome outcome = Reload().value();
  EXPECT_EQ(outcome.Text(), "nothing has changed: version 1 stays");
  EXPECT_THAT(used_, ElementsAre());
  EXPECT_EQ(Count("sluice_server_reloads_total", {{"source", "command"}, {"result", "unchanged"}}),
            1U);
}

TEST_F(ConfigDeskTest, ABadOneChangesNothing) {
  Start();
  folder_.Write("sluice.yaml", "listeners: [{ name: web, lissten: 1 }]\n");
  const auto bad = Reload();
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().detail, HasSubstr("sluice.yaml:1:26: listeners[0]: unknown field"));
  EXPECT_THAT(bad.error().detail, HasSubstr("\n"));  // all at once
  WriteFile("two");
  refusal_ = "the port is taken";
  EXPECT_EQ(Reload().error().detail, "the port is taken");
  EXPECT_EQ(desk_->current().version, 1U);
  EXPECT_EQ(desk_->history()->Versions().size(), 1U);
  EXPECT_EQ(Count("sluice_server_reloads_total", {{"source", "command"}, {"result", "refused"}}),
            2U);
  refusal_.clear();
  EXPECT_EQ(Reload().value().version.version, 2U);
}

TEST_F(ConfigDeskTest, AnEndingProcessTakesNone) {
  Start();
  WriteFile("two");
  why_not_ = "this process is ending";
  EXPECT_EQ(Reload().error().code, Code::kUnavailable);
  EXPECT_THAT(used_, ElementsAre());
}

TEST_F(ConfigDeskTest, PostingNeedsTheHashOfWhatIsUsed) {
  Start();
  const std::string hash = desk_->current().hash;
  EXPECT_EQ(Put(Text("two"), "0123").error().code, Code::kMismatch);
  EXPECT_EQ(Put(Text("two"), hash).value().version.version, 2U);
  EXPECT_TRUE(desk_->differs_from_file());
  EXPECT_EQ(Gauge("sluice_server_config_from_file"), 0);
  EXPECT_EQ(Put(Text("three"), hash).error().code, Code::kMismatch);  // it is another one now
  EXPECT_EQ(Put(Text("three"), "*").value().version.version, 3U);
  EXPECT_THAT(used_, ElementsAre("two", "three"));
  // The file is the truth.
  const ConfigOutcome reloaded = Reload().value();
  EXPECT_EQ(reloaded.version.version, 4U);
  EXPECT_FALSE(desk_->differs_from_file());
  EXPECT_EQ(used_.back(), "one");
}

TEST_F(ConfigDeskTest, ADryRunOnlyTries) {
  Start();
  EXPECT_EQ(Put(Text("two"), "*", true).value().Text(), "it is good; nothing was done");
  EXPECT_THAT(tried_, ElementsAre("two"));
  EXPECT_THAT(used_, ElementsAre());
  EXPECT_FALSE(Put("listeners: 7", "*", true));
  refusal_ = "no";
  EXPECT_EQ(Put(Text("two"), "*", true).error().detail, "no");
  EXPECT_EQ(desk_->current().version, 1U);
  EXPECT_EQ(desk_->history()->Versions().size(), 1U);
}

TEST_F(ConfigDeskTest, ARollbackIsANewVersion) {
  Start();
  WriteFile("two");
  ASSERT_TRUE(Reload());
  const ConfigOutcome back = Rollback(1).value();
  EXPECT_EQ(back.version.version, 3U);
  EXPECT_EQ(back.version.parent, 2U);
  EXPECT_EQ(back.version.text, Text("one"));
  EXPECT_THAT(back.version.reason, HasSubstr("rollback to version 1"));
  EXPECT_TRUE(desk_->differs_from_file());
  EXPECT_EQ(Count("sluice_server_config_rollbacks_total", {{"source", "command"}}), 1U);
  EXPECT_EQ(Rollback(9).error().code, Code::kNotFound);
  EXPECT_EQ(Rollback(1).value().Text(), "nothing has changed: version 3 stays");
  // Only the last three are kept.
  WriteFile("four");
  ASSERT_TRUE(Reload());
  EXPECT_THAT(desk_->history()->Versions(), ElementsAre(2U, 3U, 4U));
}

TEST_F(ConfigDeskTest, AnotherProcessGoesOnInTheSameHistory) {
  Start();
  ASSERT_TRUE(Put(Text("two")));
  desk_.reset();
  Start();
  // The file's gives way to nothing: it is version 3.
  EXPECT_EQ(desk_->current().version, 3U);
  EXPECT_EQ(desk_->current().text, Text("one"));
  desk_.reset();
  Start();
  EXPECT_EQ(desk_->current().version, 3U);  // the same as before
}

TEST_F(ConfigDeskTest, WithoutAFolderItGoesOn) {
  state_ = folder_.Write("blocked", "") + "/state";
  Start();
  EXPECT_EQ(desk_->history(), nullptr);
  WriteFile("two");
  EXPECT_EQ(Reload().value().version.version, 2U);
  EXPECT_THAT(used_, ElementsAre("two"));
  EXPECT_EQ(Rollback(1).error().code, Code::kNotFound);
  EXPECT_EQ(Count("sluice_server_config_history_failures_total"), 1U);
}

TEST_F(ConfigDeskTest, AFullDiskCostsTheHistoryAlone) {
  Start();
  std::filesystem::remove_all(HistoryFolderOf(state_));
  folder_.Write("state/configs", "no folder any more");
  WriteFile("two");
  EXPECT_TRUE(Reload());
  EXPECT_THAT(used_, ElementsAre("two"));
  EXPECT_EQ(Count("sluice_server_config_history_failures_total"), 1U);
}

TEST_F(ConfigDeskTest, AnotherSecretIsAnotherConfiguration) {
  const std::string secret = folder_.Write("secret", "first");
  file_ = folder_.Write("sluice.yaml", Text("${file:" + secret + "}"));
  Start();
  EXPECT_EQ(Reload().value().kind, ConfigOutcome::Kind::kUnchanged);
  folder_.Write("secret", "second");
  EXPECT_EQ(Reload().value().kind, ConfigOutcome::Kind::kApplied);
  EXPECT_THAT(used_, ElementsAre("second"));
  EXPECT_EQ(desk_->current().version, 1U);  // the text is the same
  const std::string dump = desk_->Dump(DumpOrigin::kYes).value();
  EXPECT_THAT(dump, HasSubstr("id: \"${file:" + secret + "}\""));
  EXPECT_THAT(dump, testing::Not(HasSubstr("second")));
  for (const uint64_t version : desk_->history()->Versions()) {
    EXPECT_THAT(
        test::ReadWholeFile(HistoryFolderOf(state_) + "/" + std::to_string(version) + ".json"),
        testing::Not(HasSubstr("second")));
  }
}

}  // namespace
}  // namespace sluice
