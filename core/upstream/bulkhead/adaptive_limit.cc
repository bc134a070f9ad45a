#include "core/upstream/bulkhead/adaptive_limit.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace sluice {
namespace {

constexpr double kSmoothing = 0.2;  // how much of what a measurement says is taken over
constexpr double kQueue = 4;        // requests that may wait at the service
constexpr double kLeastGradient = 0.5;
// The service has become much faster: what used to be usual is forgotten sooner.
constexpr double kMuchLonger = 2;
constexpr double kForget = 0.95;
// Until there are so many measurements, the usual latency is their plain mean.
constexpr uint64_t kWarmUp = 10;
constexpr double kLongFactor = 2.0 / (AdaptiveLimit::kLongSamples / AdaptiveLimit::kSamples + 1);

// 0 bits: there is none.
double Load(SharedWord word) { return std::bit_cast<double>(word.Load()); }

template <typename Change>
double Update(SharedWord word, Change change) {
  uint64_t before = word.Load();
  while (true) {
    const double after = change(std::bit_cast<double>(before));
    if (word.CompareExchange(before, std::bit_cast<uint64_t>(after))) return after;
  }
}

}  // namespace

double AdaptiveLimit::Clamp(double limit) const {
  return std::max<double>(settings_.at_least, std::min<double>(settings_.at_most, limit));
}

void AdaptiveLimit::Adopt() {
  uint64_t mark = 0;
  for (const uint64_t part :
       {uint64_t{settings_.begin}, uint64_t{settings_.at_least}, uint64_t{settings_.at_most},
        std::bit_cast<uint64_t>(settings_.tolerance)}) {
    mark = (mark ^ part) * 0x9e3779b97f4a7c15;  // Knuth's multiplicative hashing
    mark ^= mark >> 32;
  }
  uint64_t before = words_[kSettings].Load();
  if (before == mark || !words_[kSettings].CompareExchange(before, mark)) return;
  for (const Word word : {kLimit, kLongLatency, kMeasurements}) words_[word].Store(0);
}

uint32_t AdaptiveLimit::limit() const {
  const double shared = Load(words_[kLimit]);
  return static_cast<uint32_t>(Clamp(shared > 0 ? shared : settings_.begin));
}

bool AdaptiveLimit::OnSample(Nanos latency, uint64_t in_flight) {
  sum_ += latency;
  most_in_flight_ = std::max(most_in_flight_, in_flight);
  if (++samples_ < kSamples) return false;
  // Not 0: a clock that stood still would make everything infinitely slower than usual.
  const double mean = std::max(1.0, static_cast<double>(sum_) / samples_);
  samples_ = 0;
  sum_ = 0;
  const uint64_t most = std::exchange(most_in_flight_, 0);
  const double usual = AddToLong(mean);
  gradient_ = std::clamp(settings_.tolerance * usual / mean, kLeastGradient, 1.0);
  // A limit that is hardly used says nothing about whether a higher one would do.
  UpdateLimit(gradient_, static_cast<double>(most) >= limit() / 2.0);
  return true;
}

double AdaptiveLimit::AddToLong(double latency) {
  const uint64_t count = words_[kMeasurements].FetchAdd(1);
  const double factor = count < kWarmUp ? 1.0 / static_cast<double>(count + 1) : kLongFactor;
  return Update(words_[kLongLatency], [&](double usual) {
    if (!(usual > 0)) return latency;
    const double next = usual + (latency - usual) * factor;
    return next / latency > kMuchLonger ? next * kForget : next;
  });
}

void AdaptiveLimit::UpdateLimit(double gradient, bool may_grow) {
  Update(words_[kLimit], [&](double shared) {
    const double now = Clamp(shared > 0 ? shared : settings_.begin);
    const double next = Clamp((1 - kSmoothing) * now + kSmoothing * (now * gradient + kQueue));
    return may_grow ? next : std::min(now, next);
  });
}

}  // namespace sluice
