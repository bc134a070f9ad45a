#include "core/proxy/hedge_delay.h"

#include <algorithm>
#include <bit>

namespace sluice {
namespace {

constexpr int kUnitBits = 16;  // 65,536 ns

}  // namespace

size_t HedgeDelay::BucketOf(Nanos latency) {
  const auto units = static_cast<uint64_t>(std::max<Nanos>(latency, 0)) >> kUnitBits;
  if (units < kParts) return units;  // the first octave's parts are whole units
  const auto octave = static_cast<size_t>(std::bit_width(units)) - 4;
  const size_t bucket = octave * kParts + static_cast<size_t>(units >> octave);
  return std::min(bucket, kOctaves * kParts - 1);
}

Nanos HedgeDelay::EndOf(size_t bucket) {
  if (bucket < kParts * 2) return static_cast<Nanos>(bucket + 1) << kUnitBits;
  const size_t octave = bucket / kParts - 1;
  return static_cast<Nanos>(bucket % kParts + kParts + 1) << (octave + kUnitBits);
}

void HedgeDelay::Turn(Nanos now) {
  if (now < window_end_) return;
  // After a time without any, what was before says nothing either.
  before_ = now < window_end_ + kWindow ? now_ : Counts();
  now_ = Counts();
  window_end_ = now + kWindow;
}

void HedgeDelay::Add(Nanos latency, Nanos now) {
  if (after_ > 0) return;
  Turn(now);
  ++now_.buckets[BucketOf(latency)];
  ++now_.total;
}

Nanos HedgeDelay::Get(Nanos now) {
  if (after_ > 0) return after_;
  Turn(now);
  if (!known_ || now - computed_at_ >= kStale) {
    computed_ = Compute();
    computed_at_ = now;
    known_ = true;
  }
  return computed_;
}

Nanos HedgeDelay::Compute() const {
  const uint64_t total = now_.total + before_.total;
  if (total < kFewest) return 0;
  const double wanted = share_ * static_cast<double>(total);
  uint64_t sum = 0;
  for (size_t i = 0; i < now_.buckets.size(); ++i) {
    sum += now_.buckets[i] + before_.buckets[i];
    if (static_cast<double>(sum) >= wanted) return EndOf(i);
  }
  return EndOf(now_.buckets.size() - 1);
}

}  // namespace sluice
