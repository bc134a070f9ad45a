// What is found at a segment's path: nothing, something else, a damaged segment, no room.
#include "core/stats/segment_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "core/stats/directory.h"
#include "core/stats/layout.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"
#include "core/stats/stats_file.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

// The file system is full once this many reservations were made.
std::atomic<int> g_room = 0;
int ReserveWhileThereIsRoom(int fd, uint64_t offset, uint64_t length) {
  if (g_room.fetch_sub(1) <= 0) return ENOSPC;
  return StatsMemory::ReserveInFile(fd, offset, length);
}

class StatsFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "sluice-stats-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/segment";
  }
  void TearDown() override { fs::remove_all(folder_); }

  Result<std::unique_ptr<StatsSegment>> Attach(uint64_t size = kStatsMinSize,
                                               StatsMemory::Reserver reserver = nullptr) {
    StatsOptions options;
    options.size = size;
    if (reserver != nullptr) options.reserver = reserver;
    options.warn = [this](std::string_view text) { warnings_.emplace_back(text); };
    return StatsSegment::Attach(path_, options);
  }

  // A segment whose process counted 5 requests, and ended.
  void LeaveASegment() {
    const auto segment = Attach().value();
    StatsDirectory directory(*segment);
    segment->main_row().counter(directory.Counter({"requests_total", "Requests."})).Inc(5);
    segment->main_row().histogram(directory.Histogram({"sizes", ""}, {{"a", "b"}})).Record(5);
    directory.Word("word");
  }

  std::string folder_;
  std::string path_;
  std::vector<std::string> warnings_;
};

TEST_F(StatsFileTest, RefusesWhatIsNoFileOfOurs) {
  const auto refused = [this](std::string_view why) {
    const auto segment = Attach();
    ASSERT_FALSE(segment.has_value()) << why;
    EXPECT_EQ(segment.error().code, Code::kPermission);
    EXPECT_EQ(
        segment.error().detail,
        "stats: " + path_ + " is " + std::string(why) + ", expected a regular file of user " +
            std::to_string(geteuid()) +
            "; remove it, or set stats.path to a folder that only the proxy's user writes to");
    EXPECT_TRUE(fs::exists(fs::symlink_status(path_))) << "it is left where it is";
  };
  std::ofstream(folder_ + "/other") << "text";
  fs::create_symlink(folder_ + "/other", path_);
  const std::string us = std::to_string(geteuid());
  refused("a symbolic link of user " + us);
  fs::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  refused("a pipe of user " + us);
  fs::remove(path_);
  fs::create_directory(path_);
  refused("a folder of user " + us);
  fs::remove(path_);
  const Fd socket_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(socket_fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  refused("a socket of user " + us);
  fs::remove(path_);
  if (geteuid() == 0) {
    std::ofstream(path_.c_str()) << "text";
    ASSERT_EQ(chown(path_.c_str(), 1, 1), 0);
    refused("a file of user 1");
  }
}

TEST_F(StatsFileTest, IsMadeOverToTheUserThatTheServerBecomes) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may do so";
  StatsOptions options;
  options.owner = 1;
  for (int i = 0; i < 2; ++i) {
    const auto segment = StatsSegment::Attach(path_, options);
    ASSERT_TRUE(segment.has_value()) << segment.error().detail;
    struct stat file {};
    ASSERT_EQ(stat(path_.c_str(), &file), 0);
    EXPECT_EQ(file.st_uid, 1u);
  }
}

TEST_F(StatsFileTest, SaysWhenNoneCanBeMade) {
  path_ = folder_ + "/nowhere/segment";
  const auto segment = Attach();
  ASSERT_FALSE(segment.has_value());
  EXPECT_EQ(segment.error().detail, "stats: making " + path_ +
                                        ": No such file or directory: no such folder? stats.path "
                                        "names another place");
}

TEST_F(StatsFileTest, AFullFileSystemIsAnErrorAtStart) {
  // The header, then a row of the main thread and one of the worker.
  for (int room = 0; room < 3; ++room) {
    g_room = room;
    const auto segment = Attach(kStatsMinSize, ReserveWhileThereIsRoom);
    ASSERT_FALSE(segment.has_value()) << room;
    EXPECT_EQ(segment.error().code, Code::kExhausted);
    EXPECT_NE(segment.error().detail.find("shared memory is full"), std::string::npos)
        << segment.error().detail;
    EXPECT_NE(segment.error().detail.find(path_), std::string::npos) << segment.error().detail;
    for (const auto& file : fs::directory_iterator(folder_)) {
      EXPECT_EQ(file.path(), path_) << "nothing half made is left";
    }
    fs::remove(path_);
  }
}

TEST_F(StatsFileTest, AFullFileSystemLaterDropsAndCounts) {
  g_room = 1000;
  const auto segment = Attach(kStatsMinSize, ReserveWhileThereIsRoom).value();
  StatsDirectory directory(*segment,
                           [this](std::string_view text) { warnings_.emplace_back(text); });
  const SeriesId counter = directory.Counter({"requests_total", ""});
  const SeriesId histogram = directory.Histogram({"sizes", ""});
  Histogram sizes = segment->main_row().histogram(histogram);
  sizes.Record(1);
  // Fill the page of octaves.
  for (uint64_t value = 32; value < uint64_t{1} << 19; value *= 2) sizes.Record(value);
  g_room = 0;
  Counter lost = segment->worker_row(0).counter(counter);
  lost.Inc(5);
  segment->worker_row(0).histogram(histogram).Record(5);
  segment->worker_row(0).gauge(SeriesId()).Add(5);
  for (int i = 0; i < 100; ++i) sizes.Record(uint64_t{1} << 30);
  EXPECT_EQ(StatsReader(*segment).counter(counter), 0u);
  const uint64_t failures = segment->page_failures();
  EXPECT_GE(failures, 3u);
  EXPECT_LT(failures, 20u) << "not a system call for each value";
  directory.CountPageFailures();
  const StatsReader reader(*segment);
  EXPECT_EQ(reader.counter(reader.Find("sluice_stats_page_failures_total").value()), failures);

  int added = 0;
  while (added < 5000 &&
         !directory.Counter({"many_total", ""}, {{"i", std::to_string(added)}}).dropped()) {
    ++added;
  }
  EXPECT_LT(added, 5000) << "the directory cannot grow either";
  EXPECT_EQ(warnings_.size(), 1u);

  g_room = 1000000;
  segment->worker_row(0).counter(counter).Inc(7);
  EXPECT_EQ(StatsReader(*segment).counter(counter), 7u) << "what is bound later counts";
  for (int i = 0; i < 2000; ++i) sizes.Record(uint64_t{1} << 30);
  HistogramSnapshot snapshot;
  StatsReader(*segment).histogram(histogram, snapshot);
  EXPECT_GT(snapshot.bucket(HistogramBucketOf(uint64_t{1} << 30)), 900u);
}

TEST_F(StatsFileTest, ALimitOnFileSizesIsAnErrorNotASignal) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit limit = {1 << 16, 1 << 16};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(2);
    const auto segment = Attach();
    _exit(!segment && segment.error().detail.find("File too large") != std::string::npos ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(StatsFileTest, AnotherSizeIsSetAside) {
  LeaveASegment();
  EXPECT_TRUE(Attach(2 * kStatsMinSize).has_value());
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_EQ(warnings_[0], path_ + ": size 1048576, expected 2097152: set aside as " + path_ +
                              ".old, counters start from zero");
  EXPECT_TRUE(StatsFile::Open(path_ + ".old").has_value());
}

// Not of memory, but of its own size: a start must not fail for it, then and for ever.
TEST_F(StatsFileTest, OneWithoutAPageLeftIsSetAside) {
  {
    const auto segment = Attach().value();
    const uint32_t pages = segment->header().pages_used;
    ASSERT_EQ(segment->memory().Reserve(pages * kStatsPage, (256 - pages) * kStatsPage), 0);
    segment->header().pages_used = 256;
  }
  EXPECT_TRUE(Attach().has_value());
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_EQ(warnings_[0], path_ + ": no page of its 1048576 bytes is left: set aside as " + path_ +
                              ".old, counters start from zero");
}

TEST_F(StatsFileTest, OfTwoSetAsideTheLaterStays) {
  for (const char* text : {"first", "second, longer"}) {
    fs::remove(path_);
    std::ofstream(path_.c_str()) << text;
    EXPECT_TRUE(Attach().has_value());
    EXPECT_EQ(fs::file_size(path_ + ".old"), std::strlen(text));
  }
  EXPECT_EQ(warnings_.at(0), path_ + ": it has only 5 bytes: set aside as " + path_ +
                                 ".old, counters start from zero");
}

TEST_F(StatsFileTest, TheReaderSaysWhatIsWrong) {
  EXPECT_EQ(StatsFile::Open(path_).error().code, Code::kNotFound);
  EXPECT_EQ(StatsFile::Open(path_).error().detail, path_ + ": No such file or directory");
  EXPECT_EQ(StatsFile::Open(folder_).error().detail, folder_ + ": it is not a regular file");
  std::ofstream(path_.c_str()) << std::string(100000, 'x');
  EXPECT_EQ(StatsFile::Open(path_).error().detail,
            path_ + ": it does not begin as a stats segment does");
}

// Each field that is believed, given a value that must not be.
struct Damage {
  std::string name;
  std::function<void(StatsSegmentHeader&)> apply;
  std::string says;
};

class DamagedSegmentTest : public StatsFileTest, public testing::WithParamInterface<Damage> {};

TEST_P(DamagedSegmentTest, IsSetAsideAndSaysWhat) {
  LeaveASegment();
  {
    const auto memory =
        StatsMemory::Map(OpenStatsFile(path_, std::nullopt).value(), kStatsMinSize, true).value();
    GetParam().apply(memory->header());
  }
  const auto shown = StatsFile::Open(path_);
  ASSERT_FALSE(shown.has_value());
  EXPECT_EQ(shown.error().code, Code::kInvalidArgument);
  EXPECT_EQ(shown.error().detail, path_ + ": " + GetParam().says);

  const auto segment = Attach();
  ASSERT_TRUE(segment.has_value()) << segment.error().detail;
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_EQ(warnings_[0], path_ + ": " + GetParam().says + ": set aside as " + path_ +
                              ".old, counters start from zero");
  EXPECT_EQ(StatsReader(**segment).series_count(), 0u);
  EXPECT_TRUE(fs::exists(path_ + ".old"));
}

StatsRowHeader& MainRow(StatsSegmentHeader& header) {
  return *StatsAt<StatsRowHeader>(header, header.banks[0].rows[0] * kStatsPage);
}
StatsSeriesEntry& Series(StatsSegmentHeader& header, uint32_t index) {
  return StatsAt<StatsSeriesEntry>(header, RegionsOf(header.limits).series)[index];
}
StatsFamilyEntry& Family(StatsSegmentHeader& header, uint32_t index) {
  return StatsAt<StatsFamilyEntry>(header, RegionsOf(header.limits).families)[index];
}

std::vector<Damage> Damages() {
  using Header = StatsSegmentHeader;
  const StatsLimits limits = StatsLimits::For(kStatsMinSize);
  const std::string series = std::to_string(limits.max_series);
  const std::string version = std::to_string(kStatsLayoutVersion);
  return {
      {"Magic", [](Header& h) { h.magic = 1; }, "it does not begin as a stats segment does"},
      {"Layout", [](Header& h) { h.layout_version = 77; },
       "layout version 77, expected " + version},
      {"Size", [](Header& h) { h.size = 5; }, "size in the header 5, expected 1048576"},
      {"Boot", [](Header& h) { std::strcpy(h.boot_id, "another\n"); },
       "boot id another?, expected " +
           [] {
             std::string id;
             std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
             return id;
           }()},
      {"SeriesLimit", [](Header& h) { h.limits.max_series = UINT32_MAX; },
       "limit of series 4294967295, at most 1261568 possible"},
      {"TextLimit", [](Header& h) { h.limits.text_size = 1 << 30; },
       "end of the directory " +
           [] {
             StatsLimits large = StatsLimits::For(kStatsMinSize);
             large.text_size = 1 << 30;
             return std::to_string(RegionsOf(large).pages);
           }() +
           ", at most 1048576 possible"},
      {"Pages", [](Header& h) { h.pages_used = 257; }, "count of pages 257, at most 256 possible"},
      {"NoPages", [](Header& h) { h.pages_used = 0; },
       "first page of the rows " + std::to_string(RegionsOf(limits).pages / kStatsPage) +
           ", at most 0 possible"},
      {"SeriesCount", [](Header& h) { h.series_count = UINT32_MAX; },
       "count of series 4294967295, at most " + series + " possible"},
      {"Rows", [](Header& h) { h.banks[1].rows_used = 1001; },
       "count of rows 1001, at most 1000 possible"},
      {"Owned", [](Header& h) { h.banks[1].owned = 2; }, "owner's mark 2, at most 1 possible"},
      {"Taken", [](Header& h) { h.banks[1].taken = 9; },
       "order of a bank's taking 9, at most 1 possible"},
      {"FamilyText", [](Header& h) { Family(h, 1).name_offset = UINT32_MAX; },
       "the text of family 1 is out of bounds"},
      {"FamilyName", [](Header& h) { Family(h, 1).name_length = 0; },
       "the name of family 1 is none"},
      {"FamilyKind", [](Header& h) { Family(h, 2).kind = 9; }, "the kind of family 2 is unknown"},
      {"SeriesFamily", [](Header& h) { Series(h, 2).family = 99; },
       "the family of series 2 is unknown"},
      {"SeriesCell", [](Header& h) { Series(h, 2).cell = 0; },
       "the cell of series 2 is out of bounds or another's"},
      {"SeriesUsers", [](Header& h) { Series(h, 2).users = 8; },
       "the users of series 2 are unknown"},
      {"SeriesText", [](Header& h) { Series(h, 4).text_capacity = UINT32_MAX; },
       "the labels of series 4 are out of bounds"},
      // Half written: who recycles it writes to that place.
      {"HalfWrittenSeriesText",
       [](Header& h) {
         Series(h, 4).generation = 3;
         Series(h, 4).text_offset = UINT32_MAX;
       },
       "the labels of series 4 are out of bounds"},
      {"SeriesLabels", [](Header& h) { Series(h, 4).text_length = 3; },
       "the labels of series 4 are none"},
      {"RowPage", [](Header& h) { h.banks[0].rows[1] = 3; },
       "the page of row 1 in bank 0 is out of bounds or another's"},
      {"RowTwice", [](Header& h) { h.banks[0].rows[1] = h.banks[0].rows[0].load(); },
       "the page of row 1 in bank 0 is out of bounds or another's"},
      {"ScalarPage", [](Header& h) { MainRow(h).scalar_pages[5] = UINT32_MAX; },
       "a page of scalars of row 0 in bank 0 is out of bounds or another's"},
      {"HistogramPage", [](Header& h) { MainRow(h).histogram_pages[9] = h.pages_used.load(); },
       "a page of histograms of row 0 in bank 0 is out of bounds or another's"},
      {"OctavePool", [](Header& h) { MainRow(h).octave_page = MainRow(h).scalar_pages[0].load(); },
       "the page of octaves of row 0 in bank 0 is out of bounds or another's"},
      {"OctavesUsed", [](Header& h) { MainRow(h).octaves_used = 17; },
       "the use of octaves of row 0 in bank 0 is out of bounds or another's"},
      {"Octave",
       [](Header& h) {
         auto* heads =
             StatsAt<StatsHistogramCells>(h, uint64_t{MainRow(h).histogram_pages[0]} * kStatsPage);
         heads[0].octaves[7] = UINT32_MAX;
       },
       "an octave of row 0 in bank 0 is out of bounds or another's"},
  };
}

INSTANTIATE_TEST_SUITE_P(Fields, DamagedSegmentTest, testing::ValuesIn(Damages()),
                         [](const auto& tested) { return tested.param.name; });

TEST_F(StatsFileTest, MoreThanTheFileHasIsNotBelieved) {
  LeaveASegment();
  {
    const auto memory =
        StatsMemory::Map(OpenStatsFile(path_, std::nullopt).value(), kStatsMinSize, true).value();
    memory->header().pages_used = 256;
  }
  const auto shown = StatsFile::Open(path_);
  ASSERT_FALSE(shown.has_value());
  EXPECT_NE(shown.error().detail.find("it says to use "), std::string::npos);
}

}  // namespace
}  // namespace sluice
