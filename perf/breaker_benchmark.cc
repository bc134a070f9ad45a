// What a try costs at a breaker and at a limit: the decision, the decision and the result, by one
// thread and by two that share the words.
#include <benchmark/benchmark.h>

#include "core/upstream/breaker/breaker.h"
#include "core/upstream/cluster_limits.h"

namespace sluice {
namespace {

alignas(128) StatsCell words[SharedWords::kCount];
alignas(128) StatsCell in_flight;

Breaker& Shared() {
  static Breaker breaker({}, BreakerSettings(), SharedWords(words), nullptr);
  return breaker;
}

void Decide(benchmark::State& state) {
  Random random(1);
  for (auto _ : state) benchmark::DoNotOptimize(Shared().TryEnter(kSecond, random).admitted);
}
BENCHMARK(Decide)->ThreadRange(1, 2);

void DecideAndLeave(benchmark::State& state) {
  Random random(1);
  Nanos now = kSecond;
  for (auto _ : state) {
    now += 10 * kMicrosecond;
    const Breaker::Admission admission = Shared().TryEnter(now, random);
    Shared().Leave(admission.token, {}, now, random);
  }
}
BENCHMARK(DecideAndLeave)->ThreadRange(1, 2);

void Refuse(benchmark::State& state) {
  static StatsCell own[SharedWords::kCount];
  Breaker open({}, BreakerSettings(), SharedWords(own), nullptr);
  open.Force(BreakerMode::kForcedOpen);
  Random random(1);
  for (auto _ : state) benchmark::DoNotOptimize(open.TryEnter(kSecond, random).admitted);
}
BENCHMARK(Refuse);

void TakeAndGive(benchmark::State& state) {
  const SharedGauge gauge(&in_flight);
  for (auto _ : state) {
    LimitPermit permit;
    benchmark::DoNotOptimize(permit.Take(gauge, 1024));
  }
}
BENCHMARK(TakeAndGive)->ThreadRange(1, 2);

}  // namespace
}  // namespace sluice
