// A segment that is damaged, or changes, while it is used: nothing crashes, nothing outside of it
// is touched.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/stats/directory.h"
#include "core/stats/layout.h"
#include "core/stats/prometheus.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"
#include "core/stats/segment_check.h"
#include "core/stats/stats_file.h"

namespace sluice {
namespace {

std::unique_ptr<StatsSegment> Segment() {
  StatsOptions options;
  options.size = kStatsMinSize;
  return StatsSegment::Create(options).value();
}

// Registers, binds, counts, reads: with a directory of before the damage, and with one that sees it
// at once.
void Use(StatsSegment& segment, StatsDirectory& directory, const std::string& label) {
  const SeriesId counter = directory.Counter({"requests_total", "Requests."}, {{"l", label}});
  const SeriesId gauge = directory.Gauge({"active", "In flight."}, {{"l", label}});
  const SeriesId histogram = directory.Histogram({"times_seconds", ""}, {{"l", label}});
  for (const StatsRow& row : {segment.main_row(), segment.worker_row(0)}) {
    row.counter(counter).Inc();
    row.gauge(gauge).Add(2);
    Histogram times = row.histogram(histogram);
    for (uint64_t value = 1; value < kHistogramMax; value *= 64) times.Record(value);
  }
  directory.Word("word", {{"l", label}}).FetchAdd(1);
  RenderPrometheus(StatsReader(segment));
}

// The places of 32 bits that anything is found by.
std::vector<StatsIndex*> Places(StatsSegment& segment) {
  StatsSegmentHeader& header = segment.header();
  const StatsRegions at = RegionsOf(segment.limits());
  std::vector<StatsIndex*> places;
  const auto add = [&places, &header](uint64_t begin, uint64_t bytes) {
    for (uint64_t i = 0; i < bytes; i += sizeof(StatsIndex)) {
      places.push_back(StatsAt<StatsIndex>(header, begin + i));
    }
  };
  add(offsetof(StatsSegmentHeader, limits), sizeof(StatsLimits));
  add(offsetof(StatsSegmentHeader, size), sizeof(uint64_t));
  add(offsetof(StatsSegmentHeader, pages_used), 2 * 128);
  for (uint64_t bank = 0; bank < kStatsBanks; ++bank) {
    add(offsetof(StatsSegmentHeader, banks) + bank * sizeof(StatsBank),
        offsetof(StatsBank, rows) + 3 * sizeof(StatsIndex));
  }
  add(at.families, 8 * sizeof(StatsFamilyEntry));
  add(at.series, 12 * sizeof(StatsSeriesEntry));
  for (int row = 0; row < 2; ++row) {
    const uint64_t page = uint64_t{header.banks[0].rows[row]} * kStatsPage;
    add(page, offsetof(StatsRowHeader, unused));
    add(page + offsetof(StatsRowHeader, scratch_histogram), sizeof(StatsHistogramCells));
    add(page + offsetof(StatsRowHeader, scalar_pages), 2 * sizeof(StatsIndex));
    add(page + offsetof(StatsRowHeader, histogram_pages), 2 * sizeof(StatsIndex));
    const auto& header_of_row = *StatsAt<StatsRowHeader>(header, page);
    add(uint64_t{header_of_row.histogram_pages[0]} * kStatsPage, 2 * sizeof(StatsHistogramCells));
  }
  return places;
}

TEST(DamagedInUseTest, NothingIsBelieved) {
  const auto segment = Segment();
  StatsDirectory directory(*segment, [](std::string_view) {});
  Use(*segment, directory, "a");
  Histogram kept =
      segment->main_row().histogram(directory.Histogram({"times_seconds", ""}, {{"l", "a"}}));
  const std::vector<char> good(reinterpret_cast<const char*>(&segment->header()),
                               reinterpret_cast<const char*>(&segment->header()) + segment->size());
  const std::vector<StatsIndex*> places = Places(*segment);
  EXPECT_GT(places.size(), 300u);
  for (StatsIndex* const place : places) {
    for (const uint32_t damage : {UINT32_MAX, 0x7fffff00u, 0u, 1u, 255u, 300u}) {
      *place = damage;
      Use(*segment, directory, "b");
      StatsDirectory anew(*segment, [](std::string_view) {});
      Use(*segment, anew, "c");
      kept.Record(1'000'000'000);
      std::memcpy(reinterpret_cast<char*>(&segment->header()), good.data(), good.size());
    }
  }
}

// A page's number that is good when it is checked and bad afterwards.
TEST(DamagedInUseTest, TheCheckFollowsWhatItChecked) {
  const auto segment = Segment();
  StatsDirectory directory(*segment);
  Use(*segment, directory, "a");
  StatsSegmentHeader& header = segment->header();
  StatsIndex* const changing[] = {
      &header.banks[0].rows[0],
      StatsAt<StatsRowHeader>(header, uint64_t{header.banks[0].rows[1]} * kStatsPage)
          ->histogram_pages,
  };
  const uint32_t good[] = {*changing[0], *changing[1]};
  std::atomic<bool> done = false;
  std::thread damager([&] {
    while (!done) {
      for (const int i : {0, 1}) *changing[i] = UINT32_MAX;
      for (const int i : {0, 1}) *changing[i] = good[i];
    }
  });
  for (int i = 0; i < 20'000; ++i) {
    const Result<void> checked = CheckStatsContents(header, segment->limits(), segment->size());
    EXPECT_TRUE(checked || checked.error().code == Code::kInvalidArgument);
  }
  done = true;
  damager.join();
}

TEST(StatsFileInUseTest, OpensWhileSeriesOfNewFamiliesAreRegistered) {
  std::string folder = testing::TempDir() + "sluice-stats-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/segment";
  const auto segment = StatsSegment::Attach(path, StatsOptions{}).value();
  std::atomic<bool> done = false;
  std::thread registrar([&] {
    StatsDirectory directory(*segment, [](std::string_view) {});
    for (int i = 0; i < 2000; ++i) {
      const std::string name = "sluice_a" + std::to_string(i) + "_total";
      directory.Counter({name, "Help."}, {{"a", name}});
    }
    done = true;
  });
  int opened = 0;
  while (!done) {
    const auto file = StatsFile::Open(path);
    EXPECT_TRUE(file.has_value()) << file.error().detail;
    if (!file) break;
    ++opened;
  }
  registrar.join();
  EXPECT_GT(opened, 0);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sluice
