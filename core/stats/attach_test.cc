// Several processes of one segment file. Two attaches in one process conflict as two processes do:
// the locks belong to the open file.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/fd.h"
#include "core/stats/directory.h"
#include "core/stats/layout.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"
#include "core/stats/segment_file.h"
#include "core/stats/stats_file.h"

namespace sluice {
namespace {

using Segment = std::unique_ptr<StatsSegment>;

constexpr Metric kRequests = {"requests_total", "Requests."};
constexpr Metric kActive = {"active", "In flight."};
constexpr Metric kTimes = {"times_seconds", "Times.", MetricUnit::kMicroseconds};

class StatsAttachTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "sluice-stats-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/segment";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Result<Segment> TryAttach(uint32_t workers = 1) {
    StatsOptions options;
    options.workers = workers;
    options.size = 2 * kStatsMinSize;
    options.warn = [this](std::string_view text) { warnings_.emplace_back(text); };
    return StatsSegment::Attach(path_, options);
  }
  Segment Attach(uint32_t workers = 1) {
    Result<Segment> segment = TryAttach(workers);
    if (!segment) {
      ADD_FAILURE() << segment.error().detail;
      std::abort();
    }
    return std::move(*segment);
  }

  std::string folder_;
  std::string path_;
  std::vector<std::string> warnings_;
};

// A process' share of three series, and what all processes say of them.
struct Process {
  explicit Process(Segment attached) : segment(std::move(attached)), directory(*segment) {}

  // Counts `n` requests on each row.
  void Count(uint64_t n) {
    const SeriesId requests = directory.Counter(kRequests);
    const SeriesId active = directory.Gauge(kActive);
    const SeriesId times = directory.Histogram(kTimes);
    for (uint32_t i = 0; i <= segment->workers(); ++i) {
      const StatsRow row = i == 0 ? segment->main_row() : segment->worker_row(i - 1);
      row.counter(requests).Inc(n);
      row.gauge(active).Add(static_cast<int64_t>(n));
      Histogram histogram = row.histogram(times);
      for (uint64_t value = 0; value < n; ++value) histogram.Record(value);
    }
  }

  Segment segment;
  StatsDirectory directory;
};

uint64_t RequestsOf(const StatsReader& reader) {
  return reader.counter(reader.Find(kRequests.name).value());
}
int64_t ActiveOf(const StatsReader& reader) {
  return reader.gauge(reader.Find(kActive.name).value());
}
uint64_t TimesOf(const StatsReader& reader) {
  HistogramSnapshot snapshot;
  reader.histogram(reader.Find(kTimes.name).value(), snapshot);
  return snapshot.count();
}

TEST_F(StatsAttachTest, MakesAFileThatOnlyItsUserReads) {
  const Segment segment = Attach();
  struct stat file {};
  ASSERT_EQ(lstat(path_.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode, static_cast<mode_t>(S_IFREG | 0600));
  EXPECT_EQ(file.st_size, static_cast<off_t>(2 * kStatsMinSize));
  EXPECT_LT(file.st_blocks * 512, 128 << 10) << "what is not used takes no memory";
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
  EXPECT_EQ(warnings_, std::vector<std::string>());
}

TEST_F(StatsAttachTest, TwoProcessesCountInABankEach) {
  Process one(Attach());
  Process two(Attach());
  EXPECT_NE(one.segment->bank(), two.segment->bank());
  one.Count(3);
  two.Count(5);
  for (const Process* process : {&one, &two}) {
    const StatsReader reader(*process->segment);
    EXPECT_EQ(RequestsOf(reader), 16u);
    EXPECT_EQ(ActiveOf(reader), 16);
    EXPECT_EQ(TimesOf(reader), 16u);
  }
}

TEST_F(StatsAttachTest, AThirdIsRefusedByTheNamesOfTheTwo) {
  const Segment one = Attach();
  const Segment two = Attach();
  const Result<Segment> three = TryAttach();
  ASSERT_FALSE(three.has_value());
  EXPECT_EQ(three.error().code, Code::kAlreadyExists);
  const std::string pid = std::to_string(getpid());
  EXPECT_EQ(three.error().detail,
            "stats: two processes use " + path_ + " and live: " + pid + " and " + pid);
  EXPECT_EQ(one->LiveBanks(), 3u);
}

TEST_F(StatsAttachTest, GaugesGoWithTheirProcessAndCountsStay) {
  auto one = std::make_unique<Process>(Attach());
  Process two(Attach());
  one->Count(3);
  two.Count(5);
  one.reset();
  const StatsReader reader(*two.segment);
  EXPECT_EQ(RequestsOf(reader), 16u);
  EXPECT_EQ(TimesOf(reader), 16u);
  EXPECT_EQ(ActiveOf(reader), 10);

  Process three(Attach());
  EXPECT_EQ(ActiveOf(StatsReader(*two.segment)), 10) << "the bank taken anew begins at zero";
  three.Count(1);
  EXPECT_EQ(ActiveOf(StatsReader(*two.segment)), 12);
  EXPECT_EQ(RequestsOf(StatsReader(*two.segment)), 18u);
}

TEST_F(StatsAttachTest, TotalsNeverFallOverGenerationsOfDifferentWorkers) {
  uint64_t expected = 0;
  std::unique_ptr<Process> old;
  for (const uint32_t workers : {2u, 8u, 1u, 5u, 3u, 8u}) {
    auto next = std::make_unique<Process>(Attach(workers));
    if (old) {
      EXPECT_EQ(RequestsOf(StatsReader(*next->segment)), expected);
    }
    next->Count(7);
    expected += uint64_t{7} * (workers + 1);
    EXPECT_EQ(RequestsOf(StatsReader(*next->segment)), expected);
    old = std::move(next);
    EXPECT_EQ(RequestsOf(StatsReader(*old->segment)), expected);
    EXPECT_EQ(TimesOf(StatsReader(*old->segment)), expected);
    EXPECT_EQ(ActiveOf(StatsReader(*old->segment)), int64_t{7} * (workers + 1));
  }
  old.reset();
  const auto file = StatsFile::Open(path_).value();
  EXPECT_EQ(RequestsOf(file->reader()), expected) << "and with nobody alive";
  EXPECT_EQ(ActiveOf(file->reader()), 0);
}

TEST_F(StatsAttachTest, ASecondLifeTakesTheRowsOfTheFirst) {
  { Process(Attach(4)).Count(100); }
  { Process(Attach(4)).Count(100); }
  const uint32_t pages = Attach(4)->header().pages_used;
  for (int i = 0; i < 6; ++i) Process(Attach(4)).Count(100);
  EXPECT_EQ(Attach(4)->header().pages_used, pages);
}

TEST_F(StatsAttachTest, AKilledProcessLeavesItsCountsOnce) {
  Process survivor(Attach());
  survivor.Count(1);
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const Fd end(ready[0]);
  Fd begin(ready[1]);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Process killed(Attach(2));
    killed.Count(1000);
    // Killed while it counts, registers and takes pages.
    for (int i = 0;; ++i) {
      const SeriesId id = killed.directory.Counter({"more_total", ""}, {{"i", std::to_string(i)}});
      killed.segment->worker_row(0).counter(id).Inc();
      killed.segment->worker_row(0).gauge(killed.directory.Gauge(kActive)).Add(1);
      if (i == 50 && write(begin.get(), "x", 1) != 1) _exit(1);
    }
  }
  begin.Close();
  char byte = 0;
  ASSERT_EQ(read(end.get(), &byte, 1), 1);
  EXPECT_EQ(survivor.segment->LiveBanks(), 3u);
  EXPECT_GE(ActiveOf(StatsReader(*survivor.segment)), 3000);
  ASSERT_EQ(kill(child, SIGKILL), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);

  EXPECT_EQ(survivor.segment->LiveBanks(), 1u << survivor.segment->bank());
  EXPECT_EQ(RequestsOf(StatsReader(*survivor.segment)), 3002u);
  EXPECT_EQ(ActiveOf(StatsReader(*survivor.segment)), 2);
  EXPECT_EQ(StatsReader(*survivor.segment).Find("more_total", {{"i", "0"}}), std::nullopt)
      << "only the dead used it";
  Process next(Attach());
  EXPECT_EQ(warnings_, std::vector<std::string>()) << "what it left is whole";
  EXPECT_NE(next.segment->bank(), survivor.segment->bank());
  EXPECT_EQ(RequestsOf(StatsReader(*next.segment)), 3002u);
  EXPECT_EQ(ActiveOf(StatsReader(*next.segment)), 2);
  const SeriesId more = next.directory.Counter({"more_total", ""}, {{"i", "0"}});
  EXPECT_EQ(StatsReader(*next.segment).counter(more), 1u);
}

TEST_F(StatsAttachTest, StartsAtTheSameTimeAgreeOnOneFile) {
  for (int round = 0; round < 20; ++round) {
    std::vector<Segment> segments(2);
    std::thread other([&] { segments[1] = StatsSegment::Attach(path_, {}).value(); });
    segments[0] = StatsSegment::Attach(path_, {}).value();
    other.join();
    EXPECT_NE(segments[0]->bank(), segments[1]->bank());
    EXPECT_EQ(segments[0]->LiveBanks(), 3u);
    EXPECT_EQ(segments[1]->LiveBanks(), 3u);
    std::filesystem::remove(path_);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(StatsAttachTest, ProcessesSeeEachOthersSeries) {
  Process one(Attach());
  Process two(Attach());
  const SeriesId first = one.directory.Counter(kRequests, {{"a", "1"}});
  EXPECT_EQ(two.directory.Counter(kRequests, {{"a", "1"}}), first);
  const SeriesId second = two.directory.Counter(kRequests, {{"a", "2"}});
  EXPECT_EQ(one.directory.Counter(kRequests, {{"a", "2"}}), second);
  one.segment->main_row().counter(second).Inc();
  two.segment->main_row().counter(second).Inc();
  EXPECT_EQ(StatsReader(*one.segment).counter(second), 2u);
}

TEST_F(StatsAttachTest, RegistrationsAtTheSameTimeMakeEachSeriesOnce) {
  constexpr int kSeries = 500;
  const auto register_all = [this](std::vector<SeriesId>& ids) {
    Process process(Attach());
    for (int i = 0; i < kSeries; ++i) {
      const std::string label = std::to_string(i);
      ids.push_back(process.directory.Counter(kRequests, {{"i", label}}));
      process.segment->main_row().counter(ids.back()).Inc();
    }
  };
  std::vector<SeriesId> one;
  std::vector<SeriesId> two;
  std::thread other([&] { register_all(two); });
  register_all(one);
  other.join();
  EXPECT_EQ(one, two);
  const auto file = StatsFile::Open(path_).value();
  EXPECT_EQ(file->reader().series_count(), kSeries + 3u);
  for (const SeriesId id : one) EXPECT_EQ(file->reader().counter(id), 2u);
}

TEST_F(StatsAttachTest, SeriesAreShownWhileALiveProcessUsesThem) {
  auto one = std::make_unique<Process>(Attach());
  one->directory.Counter(kRequests, {{"of", "one"}});
  Process two(Attach());
  two.directory.Counter(kRequests, {{"of", "two"}});
  const auto shown = [&](std::string_view of) {
    return StatsReader(*two.segment).Find(kRequests.name, {{"of", of}}).has_value();
  };
  EXPECT_TRUE(shown("one"));
  EXPECT_TRUE(shown("two"));
  one.reset();
  EXPECT_FALSE(shown("one"));
  const auto three = std::make_unique<Process>(Attach());
  EXPECT_FALSE(shown("one")) << "its bank is another's now";
  three->directory.Counter(kRequests, {{"of", "one"}});
  EXPECT_TRUE(shown("one"));
}

TEST_F(StatsAttachTest, WithNobodyAliveEverythingIsShown) {
  { Process(Attach()).directory.Counter(kRequests, {{"of", "one"}}); }
  { Process(Attach()).directory.Counter(kRequests, {{"of", "two"}}); }
  const auto file = StatsFile::Open(path_).value();
  EXPECT_TRUE(file->reader().Find(kRequests.name, {{"of", "one"}}).has_value());
  EXPECT_TRUE(file->reader().Find(kRequests.name, {{"of", "two"}}).has_value());
}

TEST_F(StatsAttachTest, AGaugeMayBeOfTheLatestProcess) {
  const Metric kVersion = {"version", "", MetricUnit::kNone, GaugeOf::kLatestProcess};
  const auto set = [&](Process& process, int64_t value) {
    const SeriesId id = process.directory.Gauge(kVersion);
    process.segment->main_row().gauge(id).Set(value);
    return StatsReader(*process.segment).gauge(id);
  };
  Process one(Attach());
  EXPECT_EQ(set(one, 5), 5);
  {
    Process two(Attach());
    EXPECT_EQ(set(two, 4), 4);
    EXPECT_EQ(set(one, 6), 4);
  }
  EXPECT_EQ(set(one, 6), 6);
}

TEST_F(StatsAttachTest, ANameOfAnotherKindIsAnotherFamily) {
  { Process(Attach()).directory.Gauge({"level", "A gauge, before the upgrade."}); }
  Process next(Attach());
  const SeriesId id = next.directory.Histogram({"level", "A histogram since."});
  ASSERT_FALSE(id.dropped());
  next.segment->main_row().histogram(id).Record(1);
  HistogramSnapshot snapshot;
  StatsReader(*next.segment).histogram(id, snapshot);
  EXPECT_EQ(snapshot.count(), 1u);
}

TEST_F(StatsAttachTest, WordsAreSharedAndOutliveTheProcess) {
  {
    Process one(Attach());
    Process two(Attach());
    SharedWord word = one.directory.Word("endpoint_health", {{"endpoint", "127.0.0.1:80"}});
    SharedWord same = two.directory.Word("endpoint_health", {{"endpoint", "127.0.0.1:80"}});
    SharedWord other = two.directory.Word("endpoint_health", {{"endpoint", "127.0.0.1:81"}});
    EXPECT_EQ(word.Load(), 0u);
    word.Store(7);
    EXPECT_EQ(same.Load(), 7u);
    EXPECT_EQ(same.FetchAdd(2), 7u);
    uint64_t expected = 7;
    EXPECT_FALSE(word.CompareExchange(expected, 1));
    EXPECT_EQ(expected, 9u);
    EXPECT_TRUE(word.CompareExchange(expected, 10));
    EXPECT_EQ(other.Load(), 0u);
    EXPECT_EQ(StatsReader(*one.segment).Find("endpoint_health", {{"endpoint", "127.0.0.1:80"}}),
              std::nullopt)
        << "not a metric";
  }
  Process next(Attach());
  EXPECT_EQ(next.directory.Word("endpoint_health", {{"endpoint", "127.0.0.1:80"}}).Load(), 10u);
}

TEST_F(StatsAttachTest, TheSlotsSayWho) {
  {
    const Segment one = Attach();
    const Segment two = Attach();
    const auto file = StatsFile::Open(path_).value();
    ASSERT_EQ(file->processes().size(), 2u);
    for (const StatsFile::Process& process : file->processes()) {
      EXPECT_EQ(process.pid, static_cast<uint32_t>(getpid()));
      EXPECT_GT(process.start, 1'600'000'000);
      EXPECT_TRUE(process.live);
    }
    EXPECT_FALSE(file->replaced());
  }
  const auto file = StatsFile::Open(path_).value();
  EXPECT_FALSE(file->processes().at(0).live);
  EXPECT_FALSE(file->processes().at(1).live);
  std::filesystem::rename(path_, path_ + ".old");
  EXPECT_TRUE(file->replaced());
}

TEST_F(StatsAttachTest, TheClockBaseIsOfTheLastAttach) {
  const Segment one = Attach();
  const Nanos now = one->clock_base();
  one->header().clock_base = 1;
  const Segment two = Attach();
  EXPECT_GE(one->clock_base(), now - 3600 * kSecond);
}

// Who holds a lock and is stopped must not stop us.
TEST_F(StatsAttachTest, ALockThatIsNotGivenBackDropsSeries) {
  Process one(Attach());
  const Segment two = Attach();
  std::vector<std::string> warnings;
  StatsDirectory directory(*two, [&](std::string_view text) { warnings.emplace_back(text); });
  ASSERT_TRUE(one.segment->memory().TryLock(kStatsDirectoryLock));
  EXPECT_TRUE(directory.Counter({"a_total", ""}).dropped());
  EXPECT_TRUE(directory.Counter({"b_total", ""}).dropped());
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0],
            "the stats directory is locked by another process: a series of a_total and what "
            "follows it are not counted");
  EXPECT_FALSE(directory.Counter({"sluice_stats_dropped_registrations_total", ""}).dropped())
      << "what is known needs no lock";
  one.segment->memory().Unlock(kStatsDirectoryLock);
  EXPECT_FALSE(directory.Counter({"a_total", ""}).dropped());
}

}  // namespace
}  // namespace sluice
