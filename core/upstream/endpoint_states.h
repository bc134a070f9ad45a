// EndpointStates: what a cluster gives to its endpoints and lasts from one endpoint set to the
// next: ids, the words that workers share, when each came. Owned by the cluster; of the main
// thread.
//
// Endpoints that have stats of their own (EndpointSeries) have their words in shared memory, where
// the next process finds them, as far as there is something to say. The rest, of names behind which
// addresses come and go, have cells of this process, which are used again.
#ifndef SLUICE_CORE_UPSTREAM_ENDPOINT_STATES_H_
#define SLUICE_CORE_UPSTREAM_ENDPOINT_STATES_H_

#include <memory>
#include <optional>
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

  // Fills in what the cluster gives to its endpoints: those that are in `before` keep what they
  // have there, new ones begin, and those that are only there end. Where nobody was before, they do
  // not count as new.
  void Adopt(std::vector<Endpoint>& endpoints, const EndpointSet& before, Nanos now);
  // Their faults as they are now, those that another process or configuration was told of included.
  void Judge(std::vector<Endpoint>& endpoints, Nanos now) const;

  // For the processes and configurations after this one, too; takes effect by Judge.
  // REQUIRES: kDrained or kEjected.
  void SetFault(Endpoint& endpoint, EndpointFault fault, bool on);
  // What active checks say of it. The same.
  void SetChecked(Endpoint& endpoint, bool failed) const;
  // Nobody makes active checks any more: takes what was said out of the words of all endpoints.
  void ForgetChecks(const EndpointSet& endpoints) const;

 private:
  struct Cells {
    StatsCell words[SharedWords::kCount] = {};
    StatsCell active{0};
    StatsCell connections{0};
  };

  // Those of an endpoint that left.
  struct Spare {
    Cells* cells;
    Nanos since;
  };
  // Workers hear of a new set a little later, and requests may end later still: until they have,
  // what they count must not be taken for another endpoint's.
  static constexpr Nanos kRest = 60 * kSecond;

  void Begin(Endpoint& endpoint, Nanos now);
  // What is known of it in `words`, by whoever had the endpoint before.
  void TakeOver(Endpoint& endpoint, SharedWords words) const;
  // Nothing: nothing was said of it yet, or nobody can say now, and nobody here is going to, but
  // for an operator. Judge looks again.
  std::optional<SharedWords> WordsOf(const Endpoint& endpoint);
  LabelList LabelsOf(const Endpoint& endpoint) const;
  EndpointFaults FaultsOf(const Endpoint& endpoint) const;
  void End(const Endpoint& endpoint, Nanos now);
  Cells* TakeCells(Nanos now);
  Breaker* BreakerOf(const std::string& endpoint);

  StatsDirectory& stats_;
  const BalanceSettings& settings_;
  const std::string cluster_;
  const Features features_;
  EndpointSeries series_;
  std::vector<std::unique_ptr<Cells>> cells_;  // never freed: workers may still give back
  std::unordered_map<uint32_t, Cells*> own_;   // those in use, by endpoint id
  std::vector<Spare> spare_;                   // the first to leave first
  // By endpoint; never freed either, and no more than there are series.
  std::unordered_map<std::string, std::unique_ptr<Breaker>> breakers_;
  // Of those without words in shared memory: what an operator said of them holds when they return.
  std::unordered_set<std::string> drained_;
  uint32_t last_id_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_ENDPOINT_STATES_H_
