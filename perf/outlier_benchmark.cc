// What outlier detection costs a request: an answer and an end counted, at an endpoint that is well
// and at one that fails now and then, by one worker and by several at once.
#include <benchmark/benchmark.h>

#include "core/upstream/outlier/outlier_meter.h"

namespace sluice {
namespace {

struct alignas(128) Words {
  StatsCell cells[SharedWords::kCount] = {};
};

// Each `failing`th try fails; 0: none.
void CountTries(benchmark::State& state) {
  static Words words;
  static StatsCell changes{0};
  const OutlierSettings settings;
  OutlierMeter meter(settings, SharedWord(&changes));
  meter.SetCounts(OutlierCounts(SharedWords(words.cells)));
  const int64_t failing = state.range(0);
  Nanos now = kSecond;
  int64_t count = 0;
  for (auto _ : state) {
    now += 10 * kMicrosecond;
    const bool fails = failing != 0 && ++count % failing == 0;
    meter.OnLatency(kMillisecond);
    meter.OnEnd(fails ? TryOutcome::kServerError : TryOutcome::kAnswered, fails ? 500 : 200, now);
  }
}
BENCHMARK(CountTries)->Arg(0)->Arg(100)->Arg(1)->Threads(1)->Threads(2);

}  // namespace
}  // namespace sluice
