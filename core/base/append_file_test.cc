#include "core/base/append_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace sluice {
namespace {

using ::testing::HasSubstr;

class AppendFileTest : public testing::Test {
 protected:
  AppendFileTest() {
    std::string path = (std::filesystem::temp_directory_path() / "append_file.XXXXXX").string();
    folder_ = mkdtemp(path.data());
  }
  ~AppendFileTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  std::string Fault(const std::string& path) const {
    const Result<void> result = CheckAppend(path);
    return result ? "" : result.error().detail;
  }

  std::string folder_;
};

TEST_F(AppendFileTest, MakesAFileOnlyForSomebody) {
  EXPECT_TRUE(MakeFileOf(Path("log"), {}));
  EXPECT_FALSE(std::filesystem::exists(Path("log")));
  EXPECT_TRUE(MakeFileOf(Path("log"), {geteuid(), getegid()}));
  EXPECT_TRUE(std::filesystem::is_empty(Path("log")));
}

TEST_F(AppendFileTest, ANewFileIsTheOwners) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: files are given away";
  ASSERT_TRUE(MakeFileOf(Path("log"), {12, 34}));
  struct stat about {};
  ASSERT_EQ(stat(Path("log").c_str(), &about), 0);
  EXPECT_EQ(about.st_uid, 12U);
  EXPECT_EQ(about.st_gid, 34U);
  EXPECT_EQ(about.st_mode & 0777, 0644U);
}

TEST_F(AppendFileTest, WhatIsThereStaysAsItIs) {
  std::ofstream(Path("log")) << "old";
  struct stat before {};
  ASSERT_EQ(stat(Path("log").c_str(), &before), 0);
  EXPECT_TRUE(MakeFileOf(Path("log"), {12, 34}));
  struct stat after {};
  ASSERT_EQ(stat(Path("log").c_str(), &after), 0);
  EXPECT_EQ(after.st_uid, before.st_uid);
  EXPECT_EQ(after.st_size, 3);
}

TEST_F(AppendFileTest, ChecksWithoutMakingIt) {
  EXPECT_EQ(Fault(Path("log")), "");
  EXPECT_FALSE(std::filesystem::exists(Path("log")));
  std::ofstream(Path("log")) << "old";
  EXPECT_EQ(Fault(Path("log")), "");
  EXPECT_EQ(Fault("/dev/stdout"), "");
}

TEST_F(AppendFileTest, SaysWhyItCouldNotBeOpened) {
  EXPECT_THAT(Fault(Path("no/log")), HasSubstr("no/log: No such file or directory"));
  EXPECT_THAT(Fault(folder_), HasSubstr("Is a directory"));
  EXPECT_THAT(Fault(Path("sub/")), HasSubstr("Is a directory"));
  std::ofstream(Path("file")) << "";
  EXPECT_THAT(Fault(Path("file/log")), HasSubstr("Not a directory"));
}

TEST_F(AppendFileTest, SaysWhatWeMayNotWrite) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  std::ofstream(Path("file")) << "";
  chmod(Path("file").c_str(), 0444);
  EXPECT_THAT(Fault(Path("file")), HasSubstr("Permission denied"));
  chmod(folder_.c_str(), 0555);
  EXPECT_THAT(Fault(Path("log")), HasSubstr("Permission denied"));
  chmod(folder_.c_str(), 0755);
}

}  // namespace
}  // namespace sluice
