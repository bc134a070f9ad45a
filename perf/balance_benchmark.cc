// What a choice of an endpoint costs: each policy over 4, 10 and 200 endpoints, with requests in
// flight and latencies that are known.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/strings.h"
#include "core/upstream/balance/cluster_balancer.h"
#include "core/upstream/endpoint_groups.h"

namespace sluice {
namespace {

class Setup {
 public:
  Setup(BalancePolicy policy, size_t count, uint32_t heavy) : balancer_(settings_, random_) {
    settings_.policy = policy;
    cells_ = std::vector<StatsCell>(count);
    loads_ = std::vector<EndpointLoad>(count);
    std::vector<EndpointLoad*> loads;
    for (size_t i = 0; i < count; ++i) {
      Endpoint& endpoint = set_.endpoints.emplace_back();
      endpoint.text = StrCat({"10.0.0.", Decimal(i), ":80"});
      endpoint.id = static_cast<uint32_t>(i);
      endpoint.weight = i == 0 ? heavy : 1;
      loads_[i].active = SharedGauge(&cells_[i]);
      loads_[i].latency.AddPeak(static_cast<Nanos>(i + 1) * kMillisecond, now_, settings_.decay);
      loads.push_back(&loads_[i]);
    }
    GroupEndpoints(settings_, set_, nullptr);
    balancer_.Update(set_, loads, now_);
  }

  // A choice, and what is counted for it.
  size_t Try() {
    now_ += 10 * kMicrosecond;
    const size_t chosen = balancer_.Pick({random_, now_, nullptr, random_.Next()});
    if (settings_.feedback().active) loads_[chosen].active.Add();
    if (settings_.feedback().peak_latency) {
      loads_[chosen].latency.AddPeak(kMillisecond, now_, settings_.decay);
    }
    if (settings_.feedback().active) loads_[chosen].active.Sub();
    return chosen;
  }

 private:
  BalanceSettings settings_;
  Random random_{1};
  Nanos now_ = kSecond;
  EndpointSet set_;
  std::vector<StatsCell> cells_;
  std::vector<EndpointLoad> loads_;
  ClusterBalancer balancer_;
};

void Choose(benchmark::State& state) {
  Setup setup(static_cast<BalancePolicy>(state.range(0)), static_cast<size_t>(state.range(1)),
              static_cast<uint32_t>(state.range(2)));
  for (auto _ : state) benchmark::DoNotOptimize(setup.Try());
  state.SetLabel(std::string(NameOf(static_cast<BalancePolicy>(state.range(0)))));
}
BENCHMARK(Choose)->ArgsProduct({{0, 1, 2, 3, 4, 5, 6, 7, 8}, {4, 10, 200}, {1, 3}});

void Build(benchmark::State& state) {
  BalanceSettings settings;
  settings.policy = static_cast<BalancePolicy>(state.range(0));
  EndpointSet set;
  for (int64_t i = 0; i < state.range(1); ++i) {
    set.endpoints.emplace_back().text =
        StrCat({"10.0.0.", Decimal(static_cast<uint64_t>(i)), ":80"});
  }
  for (auto _ : state) {
    EndpointSet copy = set;
    GroupEndpoints(settings, copy, nullptr);
    benchmark::DoNotOptimize(copy);
  }
  state.SetLabel(std::string(NameOf(static_cast<BalancePolicy>(state.range(0)))));
}
BENCHMARK(Build)->ArgsProduct({{0, 6, 7}, {10, 200}});

}  // namespace
}  // namespace sluice
