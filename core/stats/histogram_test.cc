#include "core/stats/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "core/stats/directory.h"
#include "core/stats/histogram_snapshot.h"
#include "core/stats/layout.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

class HistogramTest : public testing::Test {
 protected:
  HistogramSnapshot Read() const {
    HistogramSnapshot snapshot;
    StatsReader(*segment_).histogram(id_, snapshot);
    return snapshot;
  }

  std::unique_ptr<StatsSegment> segment_ =
      StatsSegment::Create(
          {.workers = 2, .limits = StatsLimits{.max_series = 9, .max_histograms = 2}})
          .value();
  StatsDirectory directory_{*segment_};
  SeriesId id_ = directory_.Histogram({"duration_seconds", "", MetricUnit::kMicroseconds});
  Histogram first_ = segment_->worker_row(0).histogram(id_);
  Histogram second_ = segment_->worker_row(1).histogram(id_);
};

TEST(HistogramBucket, CoverTheRangeWithoutGapOrOverlap) {
  EXPECT_EQ(HistogramBucketLower(0), 0u);
  EXPECT_EQ(HistogramBucketLower(kHistogramBuckets), kHistogramMax + 1);
  for (unsigned bucket = 0; bucket < kHistogramBuckets; ++bucket) {
    const uint64_t lower = HistogramBucketLower(bucket);
    const uint64_t upper = HistogramBucketLower(bucket + 1);
    ASSERT_LT(lower, upper);
    ASSERT_EQ(HistogramBucketOf(lower), bucket);
    ASSERT_EQ(HistogramBucketOf(upper - 1), bucket);
  }
}

TEST(HistogramBucket, IsExactBelow64) {
  for (uint64_t value = 0; value < 64; ++value) {
    const unsigned bucket = HistogramBucketOf(value);
    EXPECT_EQ(HistogramBucketLower(bucket), value);
    EXPECT_EQ(HistogramBucketLower(bucket + 1), value + 1);
  }
}

TEST(HistogramBucket, MiddleIsWithinThePromisedErrorOfRandomValues) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(0, 34);
  for (int i = 0; i < 200000; ++i) {
    const auto value = std::min(static_cast<uint64_t>(std::exp2(exponent(random))), kHistogramMax);
    const unsigned bucket = HistogramBucketOf(value);
    const double middle =
        static_cast<double>(HistogramBucketLower(bucket) + HistogramBucketLower(bucket + 1) - 1) /
        2;
    ASSERT_LE(std::abs(middle - static_cast<double>(value)), 0.016 * static_cast<double>(value))
        << value;
  }
}

TEST(HistogramBucket, TooLargeValuesLandInTheLast) {
  EXPECT_EQ(HistogramBucketOf(kHistogramMax + 1), kHistogramBuckets - 1);
  EXPECT_EQ(HistogramBucketOf(UINT64_MAX), kHistogramBuckets - 1);
}

TEST_F(HistogramTest, SumsRows) {
  first_.Record(10);
  first_.Record(1000);
  second_.Record(10);
  const HistogramSnapshot snapshot = Read();
  EXPECT_EQ(snapshot.count(), 3u);
  EXPECT_EQ(snapshot.sum(), 1020u);
  EXPECT_EQ(snapshot.bucket(HistogramBucketOf(10)), 2u);
  EXPECT_EQ(snapshot.bucket(HistogramBucketOf(1000)), 1u);
}

TEST_F(HistogramTest, ASnapshotReadAgainHoldsTheNewSeriesOnly) {
  const SeriesId other = directory_.Histogram({"other_bytes", ""});
  first_.Record(10);
  first_.Record(1000);
  segment_->worker_row(0).histogram(other).Record(1001);
  HistogramSnapshot snapshot = Read();
  StatsReader(*segment_).histogram(other, snapshot);
  EXPECT_EQ(snapshot.count(), 1u);
  EXPECT_EQ(snapshot.sum(), 1001u);
  EXPECT_EQ(snapshot.bucket(HistogramBucketOf(10)), 0u);
  EXPECT_EQ(snapshot.bucket(HistogramBucketOf(1000)), 1u);  // the same bucket as 1001
  EXPECT_EQ(snapshot.Quantile(0), snapshot.Quantile(1));
}

TEST_F(HistogramTest, SumKeepsTheTrueValueOfOneBeyondTheRange) {
  first_.Record(kHistogramMax * 3);
  EXPECT_EQ(Read().sum(), kHistogramMax * 3);
  EXPECT_EQ(Read().bucket(kHistogramBuckets - 1), 1u);
}

TEST_F(HistogramTest, EveryOctaveOfEveryHistogramHasRoom) {
  const SeriesId other = directory_.Histogram({"other_bytes", ""});
  const SeriesId dropped = directory_.Histogram({"third_bytes", ""});
  ASSERT_TRUE(dropped.dropped());
  for (const SeriesId id : {id_, other, dropped}) {
    Histogram histogram = segment_->worker_row(0).histogram(id);
    for (unsigned b = 0; b < kHistogramBuckets; ++b) histogram.Record(HistogramBucketLower(b));
  }
  for (const SeriesId id : {id_, other}) {
    HistogramSnapshot snapshot;
    StatsReader(*segment_).histogram(id, snapshot);
    EXPECT_EQ(snapshot.count(), kHistogramBuckets);
    for (unsigned b = 0; b < kHistogramBuckets; ++b) ASSERT_EQ(snapshot.bucket(b), 1u) << b;
  }
}

TEST_F(HistogramTest, TakesMemoryOnlyForTheOctavesItMeets) {
  const uint32_t pages = segment_->header().pages_used;
  first_.Record(1024);
  EXPECT_EQ(segment_->header().pages_used, pages + 1);
  for (uint64_t value = 1; value < 1 << 14; ++value) first_.Record(value);
  EXPECT_EQ(segment_->header().pages_used, pages + 1) << "16 octaves to a page";
  for (uint64_t value = 1; value < 1 << 24; value *= 2) first_.Record(value);
  EXPECT_EQ(segment_->header().pages_used, pages + 2);
}

TEST_F(HistogramTest, QuantilesAreWithinTheErrorOfTheExactOnes) {
  std::mt19937_64 random(2);
  std::lognormal_distribution<double> latency(8, 1.5);
  std::vector<uint64_t> values(50001);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<uint64_t>(latency(random));
    (i % 2 == 0 ? first_ : second_).Record(values[i]);
  }
  std::sort(values.begin(), values.end());
  const HistogramSnapshot snapshot = Read();
  for (const double q : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank =
        static_cast<size_t>(std::max(1.0, std::ceil(q * static_cast<double>(values.size()))));
    const auto exact = static_cast<double>(values[rank - 1]);
    EXPECT_NEAR(snapshot.Quantile(q), exact, 0.016 * exact) << q;
  }
}

TEST_F(HistogramTest, QuantilesOfNothingAndOfOne) {
  EXPECT_EQ(Read().Quantile(0.5), 0);
  first_.Record(42);
  for (const double q : {-1.0, 0.0, 0.5, 1.0, 2.0}) EXPECT_EQ(Read().Quantile(q), 42);
}

TEST_F(HistogramTest, CountAtMostNeverFallsAndKeepsItsErrorBound) {
  std::mt19937_64 random(3);
  std::vector<uint64_t> values(5000);
  for (uint64_t& value : values) {
    value = random() % 2000000;
    first_.Record(value);
  }
  std::vector<uint64_t> bounds;
  for (uint64_t bound = 0; bound < 3000000; bound += bound / 7 + 1) bounds.push_back(bound);
  bounds.push_back(kHistogramMax);
  std::vector<uint64_t> counts(bounds.size());
  Read().CountAtMost(bounds, counts);
  const auto exact = [&values](double bound) {
    return static_cast<uint64_t>(std::count_if(values.begin(), values.end(), [bound](uint64_t v) {
      return static_cast<double>(v) <= bound;
    }));
  };
  for (size_t i = 0; i < bounds.size(); ++i) {
    if (i > 0) {
      ASSERT_GE(counts[i], counts[i - 1]);
    }
    const auto bound = static_cast<double>(bounds[i]);
    ASSERT_GE(counts[i], exact(bound * 0.984)) << bound;
    ASSERT_LE(counts[i], exact(bound * 1.016)) << bound;
  }
  EXPECT_EQ(counts.back(), values.size());
}

TEST_F(HistogramTest, CountAtMostOfValuesOnTheBound) {
  for (const uint64_t bound : std::vector<uint64_t>{0, 1, 31, 32, 63}) first_.Record(bound);
  const std::vector<uint64_t> bounds = {0, 1, 31, 32, 62, 63, 64};
  std::vector<uint64_t> counts(bounds.size());
  Read().CountAtMost(bounds, counts);
  EXPECT_EQ(counts, (std::vector<uint64_t>{1, 2, 3, 4, 4, 5, 5}));
}

}  // namespace
}  // namespace sluice
