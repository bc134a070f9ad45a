// HistogramSnapshot: a distribution as read at one moment, summed over rows; and quantiles of it.
// A value of 8 KiB: for one thread, reused from series to series.
#ifndef SLUICE_CORE_STATS_HISTOGRAM_SNAPSHOT_H_
#define SLUICE_CORE_STATS_HISTOGRAM_SNAPSHOT_H_

#include <array>
#include <cstdint>
#include <span>

#include "core/stats/histogram.h"

namespace sluice {

class HistogramSnapshot {
 public:
  void Clear();

  // Add what one row holds: its sum, and each octave that it has (kHistogramSubBuckets cells).
  // May run while the row's thread records. REQUIRES: octave < kHistogramOctaves.
  void AddSum(uint64_t sum) { sum_ += sum; }
  void AddOctave(unsigned octave, const StatsCell* cells);

  uint64_t count() const { return count_; }
  uint64_t sum() const { return sum_; }
  uint64_t bucket(unsigned index) const { return buckets_[index]; }

  // The value below which the fraction q of the recorded ones lies (nearest rank), within 1.6%; in
  // the unit recorded. 0 for an empty histogram. q is clamped to [0, 1].
  double Quantile(double q) const;

  // For each bound, how many recorded values are at most that: counts[i] for bounds[i]. A bound
  // inside a bucket moves to the bucket's nearer edge, by at most 1.6%. REQUIRES: rising bounds.
  void CountAtMost(std::span<const uint64_t> bounds, std::span<uint64_t> counts) const;

 private:
  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  uint32_t octaves_ = 0;  // bit per octave that holds anything: the rest is zero and skipped
  std::array<uint64_t, kHistogramBuckets> buckets_{};
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_HISTOGRAM_SNAPSHOT_H_
