// EndpointStates: what lasts of a cluster's endpoints from one endpoint set to the next: ids, the
// words that workers share, when each came. Owned by the cluster; of the main thread.
//
// Endpoints that have stats of their own (EndpointSeries) have their words in shared memory, where
// the next process finds them. The rest, of names behind which addresses come and go, have cells of
// this process, which are used again.
#ifndef SLUICE_CORE_UPSTREAM_ENDPOINT_STATES_H_
#define SLUICE_CORE_UPSTREAM_ENDPOINT_STATES_H_

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/upstream/breaker/breaker.h"
#include "core/upstream/endpoint.h"
#include "core/upstream/endpoint_series.h"

namespace sluice {

class BreakerBoard;
class StatsDirectory;

class EndpointStates {
 public:
  // What the cluster does with its endpoints besides choosing one.
  struct Features {
    bool checks = false;              // there are active checks
    bool detects_outliers = false;    // there is somebody to eject endpoints and take them back
    bool counts_connections = false;  // over all workers
    // Of the breakers of endpoints that have shared words; null: they have none.
    const BreakerSettings* breakers = nullptr;
    BreakerBoard* board = nullptr;
  };

  // All outlive it. `cluster`: its name.
  EndpointStates(StatsDirectory& stats, const BalanceSettings& settings, std::string cluster,
                 const Features& features);

  // Fills in what the cluster gives to its endpoints, and forgets those that are not among them.
  // `first`: they do not count as new.
  void Fill(std::vector<Endpoint>& endpoints, Nanos now, bool first);

  // What active checks say of an endpoint that Fill was last called with, and for the processes and
  // configurations after this one.
  void SetChecked(const std::string& endpoint, bool failed);
  // Nobody makes active checks any more: takes what was said out of the words of all endpoints.
  void ForgetChecks();

 private:
  struct Cells {
    StatsCell words[SharedWords::kCount] = {};
    StatsCell active{0};
    StatsCell connections{0};
  };
  struct State {
    uint32_t id = 0;
    EndpointFaults faults = 0;
    EndpointFaults check = 0;  // of them, those of active checks
    Nanos since = 0;
    std::string session;
    EndpointHealth health;
    SharedGauge active;
    SharedGauge connections;
    Breaker* breaker = nullptr;
    OutlierCounts outliers;
    StatsGroup<EndpointStats> stats;
    Cells* own = nullptr;  // owned by cells_; null: in shared memory
    bool present = false;
  };

  State Begin(const Endpoint& endpoint);
  // What is known of it in `words`, by whoever had the endpoint before.
  void TakeOver(State& state, SharedWords words) const;
  EndpointFaults FaultsOf(const State& state) const;
  void End(const std::string& endpoint, State& state);
  Cells* TakeCells();
  Breaker* BreakerOf(const std::string& endpoint);

  StatsDirectory& stats_;
  const BalanceSettings& settings_;
  const std::string cluster_;
  const Features features_;
  EndpointSeries series_;
  std::unordered_map<std::string, State> states_;  // of the current endpoints, by text
  std::vector<std::unique_ptr<Cells>> cells_;      // never freed: workers may still give back
  std::vector<Cells*> spare_;
  // By endpoint; never freed either, and no more than there are series.
  std::unordered_map<std::string, std::unique_ptr<Breaker>> breakers_;
  // Of those without words in shared memory: what an operator said of them holds when they return.
  std::unordered_set<std::string> drained_;
  uint32_t last_id_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_ENDPOINT_STATES_H_
