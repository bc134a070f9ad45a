#include "core/config/history.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

ConfigVersion Entry(std::string text, std::string reason = "reload") {
  ConfigVersion entry;
  entry.text = std::move(text);
  entry.reason = std::move(reason);
  entry.author = "root";
  entry.file = "conf.yaml";
  entry.time = 1'700'000'000;
  return entry;
}

class HistoryTest : public testing::Test {
 protected:
  ConfigHistory Open(size_t keep = 50) { return ConfigHistory::Open(path_, keep).value(); }

  test::TempFolder folder_;
  const std::string path_ = folder_.Path("history");
};

TEST_F(HistoryTest, VersionsCountUpAndAreKeptWhole) {
  ConfigHistory history = Open();
  EXPECT_FALSE(history.Newest());
  EXPECT_EQ(history.Add(Entry("a: 1\n", "start")).value().version, 1U);
  EXPECT_EQ(history.Add(Entry("a: 2\n")).value().version, 2U);
  const ConfigVersion newest = Open().Newest().value();
  EXPECT_EQ(newest.version, 2U);
  EXPECT_EQ(newest.parent, 1U);
  EXPECT_EQ(newest.text, "a: 2\n");
  EXPECT_EQ(newest.author, "root");
  EXPECT_EQ(newest.reason, "reload");
  EXPECT_EQ(newest.file, "conf.yaml");
  EXPECT_EQ(newest.time, 1'700'000'000);
  EXPECT_EQ(newest.hash, ConfigHash("a: 2\n"));
  EXPECT_EQ(history.Get(1).value().reason, "start");
}

TEST_F(HistoryTest, TheHashIsSha256) {
  EXPECT_EQ(ConfigHash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(HistoryTest, TheSameTextAgainIsNoNewVersion) {
  ConfigHistory history = Open();
  history.Add(Entry("a: 1\n"));
  EXPECT_EQ(history.Add(Entry("a: 1\n")).value().version, 1U);
  history.Add(Entry("a: 2\n"));
  EXPECT_EQ(history.Add(Entry("a: 1\n", "rollback")).value().version, 3U);
}

TEST_F(HistoryTest, TheOldestGo) {
  ConfigHistory history = Open(3);
  for (int i = 1; i <= 12; ++i) history.Add(Entry("a: " + std::to_string(i) + "\n"));
  EXPECT_EQ(history.Versions(), (std::vector<uint64_t>{10, 11, 12}));
  const auto gone = history.Get(9);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, Code::kNotFound);
}

TEST_F(HistoryTest, OnlyItsOwnerReadsIt) {
  ConfigHistory history = Open();
  history.Add(Entry("a: 1\n"));
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, mode_t{0700});
  ASSERT_EQ(stat((path_ + "/1.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, mode_t{0600});
}

TEST_F(HistoryTest, DamageIsFoundAndNamed) {
  ConfigHistory history = Open();
  history.Add(Entry("a: 1\n"));
  std::string bytes = test::ReadWholeFile(path_ + "/1.json");
  bytes.replace(bytes.find("a: 1"), 4, "a: 7");
  std::ofstream(path_ + "/1.json") << bytes;
  EXPECT_NE(history.Get(1).error().detail.find("1.json: damaged"), std::string::npos);
  std::ofstream(path_ + "/1.json") << "{";
  EXPECT_NE(history.Get(1).error().detail.find("1.json: not a version"), std::string::npos);
  EXPECT_EQ(history.Add(Entry("a: 1\n")).value().version, 2U);  // it goes on behind it
}

TEST_F(HistoryTest, WhatIsNoVersionIsLeftAlone) {
  ConfigHistory history = Open(1);
  std::ofstream(path_ + "/notes.json") << "{}";
  std::ofstream(path_ + "/3.json.new") << "half";
  history.Add(Entry("a: 1\n"));
  history.Add(Entry("a: 2\n"));
  EXPECT_EQ(history.Versions(), std::vector<uint64_t>{2});
  EXPECT_EQ(test::ReadWholeFile(path_ + "/notes.json"), "{}");
}

TEST_F(HistoryTest, AFolderThatCannotBeMadeIsNamed) {
  EXPECT_TRUE(ConfigHistory::Open(folder_.Path("made/with/parents"), 3));
  folder_.Write("file", "");
  const auto opened = ConfigHistory::Open(folder_.Path("file/such"), 3);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().detail.find("file/such"), std::string::npos);
  EXPECT_TRUE(ConfigHistory::View(folder_.Path("no/such")).Versions().empty());
}

TEST_F(HistoryTest, WhatIsNoUtf8IsRefusedAndReasonsAreMendedForJson) {
  ConfigHistory history = Open();
  EXPECT_FALSE(history.Add(Entry("a: \xff\n")));
  EXPECT_TRUE(history.Versions().empty());
  EXPECT_EQ(history.Add(Entry("a: 1\n", "why\xff?")).value().version, 1U);
  EXPECT_EQ(history.Get(1).value().reason, "why\xef\xbf\xbd?");
}

// Two processes of an instance, one over the other.
TEST_F(HistoryTest, TwoThatAddDoNotOverwriteEachOther) {
  ConfigHistory one = Open();
  ConfigHistory two = Open();
  EXPECT_EQ(one.Add(Entry("a: 1\n")).value().version, 1U);
  EXPECT_EQ(two.Add(Entry("a: 2\n")).value().version, 2U);
  EXPECT_EQ(one.Add(Entry("a: 3\n")).value().version, 3U);
  EXPECT_EQ(one.Get(2).value().text, "a: 2\n");
}

TEST_F(HistoryTest, TheDifferenceIsThatOfDiffU) {
  std::string before;
  for (int i = 1; i <= 20; ++i) before += "line " + std::to_string(i) + "\n";
  std::string after = before;
  after.replace(after.find("line 5\n"), 7, "line five\n");
  after.insert(after.find("line 18\n"), "more\n");
  ConfigVersion old = Entry(before);
  old.version = 4;
  EXPECT_EQ(
      ConfigDiff(old, Entry(after)),
      "--- conf.yaml version 4\n+++ conf.yaml\n"
      "@@ -2,7 +2,7 @@\n line 2\n line 3\n line 4\n-line 5\n+line five\n line 6\n line 7\n"
      " line 8\n"
      "@@ -15,6 +15,7 @@\n line 15\n line 16\n line 17\n+more\n line 18\n line 19\n line 20\n");
  EXPECT_EQ(ConfigDiff(old, Entry(before)), "");
}

}  // namespace
}  // namespace sluice
