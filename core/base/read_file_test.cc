#include "core/base/read_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace sluice {
namespace {

class ReadFileTest : public testing::Test {
 protected:
  std::string Write(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    return path_;
  }
  ReadFileTest() {
    std::string folder = (std::filesystem::temp_directory_path() / "sluice-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    path_ = folder + "/file";
  }
  ~ReadFileTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::string path_;
};

TEST_F(ReadFileTest, AllOfIt) {
  EXPECT_EQ(ReadRegularFile(Write(""), 10).value(), "");
  const std::string text(10000, 'x');
  EXPECT_EQ(ReadRegularFile(Write(text), 10000).value(), text);
}

TEST_F(ReadFileTest, NoMoreThanIsAllowed) {
  EXPECT_EQ(ReadRegularFile(Write(std::string(10001, 'x')), 10000).error().code, Code::kOverflow);
}

TEST_F(ReadFileTest, OneThatIsNotThere) {
  EXPECT_EQ(ReadRegularFile(path_, 10).error().code, Code::kNotFound);
}

TEST_F(ReadFileTest, OneThatWouldKeepUsWaiting) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(ReadRegularFile(path_, 10).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace sluice
