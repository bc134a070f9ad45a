// The whole filter: config as users write it, streams through a chain, files on the disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <google/protobuf/message.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/strings.h"
#include "core/filter/registry.h"
#include "filters/access_log/log_file.h"
#include "filters/access_log/temp_folder.h"
#include "tests/support/filter_harness.h"

namespace sluice::access_log {
namespace {

using ::testing::HasSubstr;

class AccessLogTest : public ::testing::Test {
 protected:
  // `options` after `path: FILE`, each beginning with ", ".
  void Add(const std::string& options, const std::string& file = "log") {
    const auto added =
        harness.AddYaml("access_log", "{ path: " + folder.Path(file) + options + " }");
    ASSERT_TRUE(added) << added.error().detail;
  }
  std::string LoadError(const std::string& yaml) {
    const auto added = harness.AddYaml("access_log", yaml);
    return added ? "" : added.error().detail;
  }
  void Request(std::string_view path, uint16_t status, HeaderList headers = {}) {
    auto stream = harness.NewStream();
    stream->Get(path, headers);
    stream->Respond(status, {}, "body");
  }
  // What the writer has written by now.
  std::string Read(const std::string& file = "log") {
    auto ref = LogFileRef::Acquire(folder.Path(file), []() -> Result<std::unique_ptr<LogFile>> {
      return Fail(Code::kNotFound, "nobody writes it");
    });
    if (ref) (*ref)->Flush();
    return folder.Read(file);
  }
  double Metric(std::string_view name, const std::string& file = "log") {
    return harness.Metric(StrCat({"sluice_access_log_", name, "_total"}),
                          StrCat({"path=\"", folder.Path(file), "\""}));
  }

  TempFolder folder;
  FilterHarness harness;
};

TEST_F(AccessLogTest, OneLineForEachRequest) {
  Add(", text: '%method% %path% %status% %bytes_sent%'");
  Request("/a", 200);
  Request("/b", 404);
  EXPECT_EQ(Read(), "GET /a 200 4\nGET /b 404 4\n");
}

TEST_F(AccessLogTest, JsonAndTextInOneChain) {
  Add(", json: { path: '%path%', status: '%status%' }", "json");
  Add(", text: '%status%'", "text");
  Request("/a", 200);
  EXPECT_EQ(Read("json"), "{\"path\":\"/a\",\"status\":200}\n");
  EXPECT_EQ(Read("text"), "200\n");
}

TEST_F(AccessLogTest, FiltersOfOneFileShareIt) {
  Add(", text: 'one %path%'");
  Add(", text: 'two %path%', when: { statuses: [5xx] }");
  Request("/a", 200);
  Request("/b", 500);
  EXPECT_EQ(Read(), "one /a\none /b\ntwo /b\n");
}

TEST_F(AccessLogTest, AStreamThatNobodyAnswered) {
  Add(", text: '%method% %status% %response_flags% %response_code_details%'");
  auto stream = harness.NewStream();
  stream->Get("/");
  stream->Cancel();
  EXPECT_EQ(Read(), "GET 0 DC downstream_remote_disconnect\n");
}

TEST_F(AccessLogTest, AStreamWithoutARequest) {
  Add(", text: '%method% %status%'");
  auto stream = harness.NewStream();
  stream->info().status = 400;  // a head that could not be read
  stream->Finish();
  EXPECT_EQ(Read(), "- 400\n");
}

TEST_F(AccessLogTest, TimesAreThoseOfTheStream) {
  Add(", text: '%duration% %request_duration%'");
  auto stream = harness.NewStream();
  stream->Get("/");
  harness.Advance(250 * kMillisecond);
  stream->Respond(200);
  stream.reset();
  EXPECT_EQ(Read(), "250 0\n");
}

TEST_F(AccessLogTest, Conditions) {
  Add(", text: '%path%', when: { any: on, statuses: [5xx], headers: { x-log: { exact: '1' } } }");
  Request("/plain", 200);
  Request("/failed", 503);
  Request("/asked", 200, {{"x-log", "1"}});
  EXPECT_EQ(Read(), "/failed\n/asked\n");
}

// The flush interval wakes the writer and counts what it did.
TEST_F(AccessLogTest, Counts) {
  Add(", text: '%path%', flush_interval: 500ms");
  Request("/a", 200);
  Request("/b", 200);
  harness.Advance(500 * kMillisecond);
  EXPECT_EQ(Read(), "/a\n/b\n");
  harness.Advance(500 * kMillisecond);
  EXPECT_EQ(Metric("written_lines"), 2);
  EXPECT_EQ(Metric("written_bytes"), 6);
  EXPECT_EQ(Metric("dropped_lines"), 0);
  EXPECT_EQ(harness.loop().timers().NextWake(), -1);  // an idle worker is not woken
  Request("/c", 200);
  Read();
  harness.Advance(1 * kSecond);
  EXPECT_EQ(Metric("written_lines"), 3);
}

TEST_F(AccessLogTest, AFullDiskDropsAndCountsLinesAndHoldsNobodyUp) {
  const auto added = harness.AddYaml(
      "access_log", "{ path: /dev/full, text: '%path%', buffer: 64KiB, flush_interval: 10ms }");
  ASSERT_TRUE(added) << added.error().detail;
  const std::string path = "/" + std::string(4095, 'x');
  for (int i = 0; i < 200; ++i) Request(path, 200);
  harness.Advance(1 * kSecond);
  const auto metric = [&](std::string_view name) {
    return harness.Metric(StrCat({"sluice_access_log_", name, "_total"}), "path=\"/dev/full\"");
  };
  // The ring holds 15 of them, and what the writer took out holds as many again.
  EXPECT_GE(metric("dropped_lines"), 200 - 2 * 16);
  EXPECT_EQ(metric("written_lines"), 0);
}

TEST_F(AccessLogTest, Sigusr1OpensTheFileAnew) {
  Add(", text: '%path%'");
  Request("/a", 200);
  Read();
  std::filesystem::rename(folder.Path("log"), folder.Path("old"));
  Request("/b", 200);
  harness.ReopenLogs();
  EXPECT_EQ(Read(), "");
  Request("/c", 200);
  EXPECT_EQ(Read(), "/c\n");
  EXPECT_EQ(folder.Read("old"), "/a\n/b\n");
}

TEST_F(AccessLogTest, Rotation) {
  Add(", text: '%path%', rotate: { size: 8B, keep: 2 }");
  for (const char* path : {"/aaa", "/bbb", "/ccc", "/ddd"}) {
    Request(path, 200);
    Read();
  }
  EXPECT_EQ(folder.Read("log"), "/ddd\n");
  EXPECT_EQ(folder.Read("log.1"), "/ccc\n");
  EXPECT_EQ(folder.Read("log.2"), "/bbb\n");
  EXPECT_EQ(folder.Read("log.3"), "(none)");
}

TEST_F(AccessLogTest, TheEndWritesEverything) {
  {
    FilterHarness other;
    ASSERT_TRUE(other.AddYaml(
        "access_log", "{ path: " + folder.Path("log") + ", text: '%path%', flush_interval: 1m }"));
    auto stream = other.NewStream();
    stream->Get("/last");
    stream->Respond(200);
    stream.reset();
  }
  EXPECT_EQ(folder.Read("log"), "/last\n");
}

TEST_F(AccessLogTest, CheckingAConfigOpensNothing) {
  harness.load_context().dry_run = true;
  const FilterKind* kind = FindFilterKind("access_log");
  ASSERT_NE(kind, nullptr);
  std::unique_ptr<google::protobuf::Message> config(kind->prototype().New());
  const auto* field = config->GetDescriptor()->FindFieldByName("path");
  config->GetReflection()->SetString(config.get(), field, folder.Path("log"));
  EXPECT_TRUE(kind->Load(*config, harness.load_context()));
  EXPECT_EQ(folder.Read("log"), "(none)");
}

TEST_F(AccessLogTest, OnlyCompleteIsAHook) {
  Add("");
  auto stream = harness.NewStream();
  EXPECT_FALSE(stream->chain().HasHook(kRequestHeadersHook));
  EXPECT_TRUE(stream->chain().HasHook(kCompleteHook));
}

TEST_F(AccessLogTest, Errors) {
  EXPECT_THAT(LoadError("{}"), HasSubstr("one of path"));
  EXPECT_THAT(LoadError("{ path: /no/such/folder/log }"), HasSubstr("No such file or directory"));
  EXPECT_THAT(LoadError("{ path: /dev/null, text: '%stauts%' }"),
              HasSubstr("did you mean \"status\"?"));
  EXPECT_THAT(LoadError("{ path: /dev/null, when: { statuses: [nope] } }"),
              HasSubstr("when.statuses[0]: expected 404"));
  EXPECT_THAT(LoadError("{ path: /dev/null, rotate: { keep: 2 } }"),
              HasSubstr("rotate: neither size nor age"));
  EXPECT_THAT(LoadError("{ syslog: {}, rotate: { size: 1MiB } }"),
              HasSubstr("rotate: only for files"));
  EXPECT_EQ(LoadError("/dev/null"), "");  // the short form
}

}  // namespace
}  // namespace sluice::access_log
