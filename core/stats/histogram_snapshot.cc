#include "core/stats/histogram_snapshot.h"

#include <algorithm>
#include <cmath>

namespace sluice {
namespace {

// The last bucket that counts as "at most bound", or -1. The values of a bucket are integers from
// its lower edge to one below the next bucket's.
int LastBucketAtMost(uint64_t bound) {
  if (bound >= kHistogramMax) return kHistogramBuckets - 1;
  const unsigned bucket = HistogramBucketOf(bound);
  const uint64_t missed = HistogramBucketLower(bucket + 1) - 1 - bound;
  const uint64_t covered = bound + 1 - HistogramBucketLower(bucket);
  return static_cast<int>(bucket) - (missed <= covered ? 0 : 1);
}

}  // namespace

void HistogramSnapshot::Clear() {
  count_ = 0;
  sum_ = 0;
  for (unsigned octave = 0; octave < kHistogramOctaves; ++octave) {
    if ((octaves_ >> octave & 1) == 0) continue;
    std::fill_n(buckets_.begin() + octave * kHistogramSubBuckets, kHistogramSubBuckets, 0);
  }
  octaves_ = 0;
}

void HistogramSnapshot::AddOctave(unsigned octave, const StatsCell* cells) {
  octaves_ |= uint32_t{1} << octave;
  for (unsigned i = 0; i < kHistogramSubBuckets; ++i) {
    const uint64_t n = cells[i].load(std::memory_order_relaxed);
    buckets_[octave * kHistogramSubBuckets + i] += n;
    count_ += n;
  }
}

double HistogramSnapshot::Quantile(double q) const {
  if (count_ == 0) return 0;
  const auto all = static_cast<double>(count_);  // rounded, perhaps to 2^64, which has no integer
  const double wanted = std::ceil(std::clamp(q, 0.0, 1.0) * all);
  const uint64_t rank =
      wanted >= all ? count_ : std::clamp<uint64_t>(static_cast<uint64_t>(wanted), 1, count_);
  uint64_t seen = 0;
  unsigned bucket = 0;
  while ((seen += buckets_[bucket]) < rank) ++bucket;
  return static_cast<double>(HistogramBucketLower(bucket) + HistogramBucketLower(bucket + 1) - 1) /
         2;
}

void HistogramSnapshot::CountAtMost(std::span<const uint64_t> bounds,
                                    std::span<uint64_t> counts) const {
  uint64_t seen = 0;
  int next = 0;
  for (size_t i = 0; i < bounds.size(); ++i) {
    const int last = LastBucketAtMost(bounds[i]);
    while (next <= last) {
      const unsigned octave = static_cast<unsigned>(next) / kHistogramSubBuckets;
      if ((octaves_ >> octave & 1) == 0) {
        next = static_cast<int>((octave + 1) * kHistogramSubBuckets);
        continue;
      }
      seen += buckets_[static_cast<size_t>(next++)];
    }
    counts[i] = seen;
  }
}

}  // namespace sluice
