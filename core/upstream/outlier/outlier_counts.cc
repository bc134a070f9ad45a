#include "core/upstream/outlier/outlier_counts.h"

namespace sluice {
namespace {

constexpr int kSuccessBits = 32;
constexpr uint64_t kMostSuccesses = (uint64_t{1} << kSuccessBits) - 1;
constexpr int kLatencyBits = 24;
constexpr uint64_t kMostLatencies = (uint64_t{1} << kLatencyBits) - 1;
constexpr uint64_t kMostMicros = (uint64_t{1} << (64 - kLatencyBits)) - 1;

}  // namespace

void OutlierCounts::AddSuccess() {
  Reset(kConsecutive5xx);
  Reset(kConsecutiveGateway);
  Reset(kConsecutiveLocalOrigin);
}

// What is zero stays unwritten, so that the cache line stays with every worker.
void OutlierCounts::Reset(Place place) {
  SharedWord word = words_[place];
  if (word.Load() != 0) word.Store(0);
}

bool OutlierCounts::AddFailure(EndpointFailure failure, const OutlierSettings& settings) {
  bool triggered = Step(kConsecutive5xx, settings.consecutive_5xx, EjectionCause::kConsecutive5xx);
  if (failure == EndpointFailure::kServer) {
    Reset(kConsecutiveGateway);
  } else {
    triggered |= Step(kConsecutiveGateway, settings.consecutive_gateway_failure,
                      EjectionCause::kConsecutiveGatewayFailure);
  }
  if (failure == EndpointFailure::kLocalOrigin) {
    triggered |= Step(kConsecutiveLocalOrigin, settings.consecutive_local_origin_failure,
                      EjectionCause::kConsecutiveLocalOriginFailure);
  } else {
    Reset(kConsecutiveLocalOrigin);
  }
  return triggered;
}

// An ejection may be refused, or be over while failures go on: each multiple asks again.
bool OutlierCounts::Step(Place place, uint32_t threshold, EjectionCause cause) {
  if (threshold == 0) return false;
  const uint64_t count = words_[place].FetchAdd(1) + 1;
  if (count % threshold != 0) return false;
  SharedWord triggered = words_[kTriggered];
  EjectionCauses causes = triggered.Load();
  while (!triggered.CompareExchange(causes, causes | CausesOf(cause))) {
  }
  return true;
}

// What belongs together is one word: read in two, a part of it would look like failures.
void OutlierCounts::AddInterval(const OutlierInterval& interval) {
  words_[kAnswers].FetchAdd(interval.requests << kSuccessBits | interval.successes);
  const uint64_t micros = interval.latency / static_cast<uint64_t>(kMicrosecond);
  SharedWord word = words_[kLatency];
  uint64_t before = word.Load();
  while (true) {
    const uint64_t latencies = (before & kMostLatencies) + interval.latencies;
    const uint64_t sum = (before >> kLatencyBits) + micros;
    if (latencies > kMostLatencies || sum > kMostMicros) return;
    if (word.CompareExchange(before, sum << kLatencyBits | latencies)) return;
  }
}

uint64_t OutlierCounts::Take(Place place) {
  SharedWord word = words_[place];
  uint64_t value = word.Load();
  while (value != 0 && !word.CompareExchange(value, 0)) {
  }
  return value;
}

EjectionCauses OutlierCounts::TakeTriggered() { return Take(kTriggered); }

OutlierInterval OutlierCounts::TakeInterval() {
  const uint64_t answers = Take(kAnswers);
  const uint64_t latency = Take(kLatency);
  OutlierInterval interval;
  interval.requests = answers >> kSuccessBits;
  interval.successes = answers & kMostSuccesses;
  interval.latencies = latency & kMostLatencies;
  interval.latency = (latency >> kLatencyBits) * static_cast<uint64_t>(kMicrosecond);
  return interval;
}

bool OutlierCounts::Eject(Nanos until, uint64_t ejections) {
  uint64_t none = 0;
  if (!words_[kEjectedUntil].CompareExchange(none, static_cast<uint64_t>(until))) return false;
  set_ejections(ejections);
  return true;
}

bool OutlierCounts::Return(Nanos now) {
  if (Take(kEjectedUntil) == 0) return false;
  words_[kReturnedAt].Store(static_cast<uint64_t>(now));
  set_average_latency(0);
  AddSuccess();
  TakeTriggered();
  TakeInterval();
  return true;
}

}  // namespace sluice
