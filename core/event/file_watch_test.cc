#include "core/event/file_watch.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FileWatchTest : public testing::Test {
 protected:
  void OnChange() { ++calls_; }
  void Watch(const std::vector<std::string>& paths) {
    const Result<void> watched = watch_.Watch(paths);
    ASSERT_TRUE(watched) << watched.error().detail;
    EXPECT_THAT(watch_.TakeChanged(), IsEmpty());
  }
  // Events lie in the kernel's queue when the call that caused them returns.
  std::vector<std::string> Changed() {
    calls_ = 0;
    for (int i = 0; i < 4; ++i) loop_->RunOnce(0);
    const std::set<std::string> changed = watch_.TakeChanged();
    EXPECT_EQ(calls_ > 0, !changed.empty());
    return {changed.begin(), changed.end()};
  }

  test::TempFolder folder_;
  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  int calls_ = 0;
  FileWatch watch_{*loop_, Callback::To<&FileWatchTest::OnChange>(this)};
};

TEST_F(FileWatchTest, WrittenInPlace) {
  const std::string file = folder_.Write("file", "one");
  const std::string other = folder_.Write("other", "one");
  Watch({file, other});
  EXPECT_THAT(Changed(), IsEmpty());
  folder_.Write("file", "longer");
  EXPECT_THAT(Changed(), ElementsAre(file));
  EXPECT_THAT(Changed(), IsEmpty());
  folder_.Write("other", "longer");
  EXPECT_THAT(Changed(), ElementsAre(other));
}

TEST_F(FileWatchTest, ANeighbourIsNoChange) {
  const std::string file = folder_.Write("file", "one");
  Watch({file});
  folder_.Write("neighbour", "x");
  fs::remove(folder_.Path("neighbour"));
  EXPECT_THAT(Changed(), IsEmpty());
}

TEST_F(FileWatchTest, ReplacedByARename) {
  const std::string file = folder_.Write("file", "one");
  Watch({file});
  for (int i = 0; i < 3; ++i) {  // each time another file
    fs::rename(folder_.Write("file.new", std::string(10 + static_cast<size_t>(i), 'x')), file);
    EXPECT_THAT(Changed(), ElementsAre(file));
  }
}

TEST_F(FileWatchTest, DeletedAndMadeAgain) {
  const std::string file = folder_.Write("file", "one");
  Watch({file});
  fs::remove(file);
  EXPECT_THAT(Changed(), ElementsAre(file));
  folder_.Write("file", "two");
  EXPECT_THAT(Changed(), ElementsAre(file));
}

TEST_F(FileWatchTest, AFileThatIsNotThereYet) {
  const std::string file = folder_.Path("deep/down/file");
  Watch({file});
  fs::create_directories(folder_.Path("deep"));
  EXPECT_THAT(Changed(), IsEmpty());
  fs::create_directories(folder_.Path("deep/down"));
  EXPECT_THAT(Changed(), IsEmpty());
  folder_.Write("deep/down/file", "one");
  EXPECT_THAT(Changed(), ElementsAre(file));
}

TEST_F(FileWatchTest, AFolderThatIsMovedAndReplaced) {
  fs::create_directory(folder_.Path("a"));
  fs::create_directory(folder_.Path("b"));
  const std::string file = folder_.Write("a/file", "one");
  folder_.Write("b/file", "longer");
  Watch({file});
  fs::rename(folder_.Path("a"), folder_.Path("old"));
  EXPECT_THAT(Changed(), ElementsAre(file));
  fs::rename(folder_.Path("b"), folder_.Path("a"));
  EXPECT_THAT(Changed(), ElementsAre(file));
  folder_.Write("a/file", "in the new folder");
  EXPECT_THAT(Changed(), ElementsAre(file));
  folder_.Write("old/file", "in the one of old");
  EXPECT_THAT(Changed(), IsEmpty());
}

// As Kubernetes does it: file -> ..data/file, ..data -> ..1; then ..data -> ..2 by a rename.
TEST_F(FileWatchTest, TheSwapOfALink) {
  for (const std::string name : {"..1", "..2"}) {
    fs::create_directory(folder_.Path(name));
    folder_.Write(name + "/file", name);
  }
  fs::create_symlink("..1", folder_.Path("..data"));
  const std::string file = folder_.Path("file");
  fs::create_symlink("..data/file", file);
  Watch({file});
  fs::create_symlink("..2", folder_.Path("..data_tmp"));
  EXPECT_THAT(Changed(), IsEmpty());
  fs::rename(folder_.Path("..data_tmp"), folder_.Path("..data"));
  EXPECT_THAT(Changed(), ElementsAre(file));
  fs::remove_all(folder_.Path("..1"));
  EXPECT_THAT(Changed(), IsEmpty());
  folder_.Write("..2/file", "in place");
  EXPECT_THAT(Changed(), ElementsAre(file));
}

// The link that is swapped stands in a folder that is neither the file's nor its target's.
TEST_F(FileWatchTest, ALinkOnTheWay) {
  for (const std::string name : {"one", "two", "elsewhere", "conf"}) {
    fs::create_directory(folder_.Path(name));
  }
  folder_.Write("one/file", "one");
  folder_.Write("two/file", "second");
  fs::create_symlink(folder_.Path("one"), folder_.Path("elsewhere/current"));
  const std::string file = folder_.Path("conf/file");
  fs::create_symlink("../elsewhere/current/file", file);
  Watch({file});
  fs::create_symlink("../two", folder_.Path("elsewhere/next"));
  fs::rename(folder_.Path("elsewhere/next"), folder_.Path("elsewhere/current"));
  EXPECT_THAT(Changed(), ElementsAre(file));
}

TEST_F(FileWatchTest, LinksInACircleEnd) {
  const std::string file = folder_.Path("a");
  fs::create_symlink("b", file);
  fs::create_symlink("a", folder_.Path("b"));
  Watch({file});
  fs::remove(folder_.Path("b"));
  folder_.Write("b", "a file");
  EXPECT_THAT(Changed(), ElementsAre(file));
}

TEST_F(FileWatchTest, WhatChangedWhileItWasStopped) {
  const std::string file = folder_.Write("file", "one");
  Watch({file});
  watch_.Stop();
  folder_.Write("file", "longer");
  EXPECT_THAT(Changed(), IsEmpty());
  ASSERT_TRUE(watch_.Watch({file}));
  EXPECT_TRUE(watch_.has_changed());
  EXPECT_THAT(watch_.TakeChanged(), ElementsAre(file));
}

TEST_F(FileWatchTest, OthersInPlaceOfThose) {
  fs::create_directory(folder_.Path("a"));
  const std::string one = folder_.Write("a/one", "one");
  const std::string two = folder_.Write("two", "two");
  Watch({one});
  Watch({two});
  folder_.Write("a/one", "longer");
  EXPECT_THAT(Changed(), IsEmpty());
  folder_.Write("two", "longer");
  EXPECT_THAT(Changed(), ElementsAre(two));
}

TEST_F(FileWatchTest, LimitsAreErrors) {
  const std::string file = folder_.Write("file", "one");
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{0, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const Result<void> watched = watch_.Watch({file});
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  ASSERT_FALSE(watched);
  EXPECT_THAT(watched.error().detail, HasSubstr("inotify_init1: "));
  Watch({file});  // it can be tried again
  folder_.Write("file", "longer");
  EXPECT_THAT(Changed(), ElementsAre(file));
}

}  // namespace
}  // namespace sluice
