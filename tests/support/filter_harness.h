// FilterHarness: a worker's surroundings for filters under test: a loop on a FakeClock, stats in
// memory, a chain of filters made from their names and config messages, or from factories of the
// test's own. Streams through the chain: filter_stream.h.
//
//   FilterHarness harness;
//   ASSERT_TRUE(harness.AddYaml("cors", "origins: [https://a.example]"));
//   auto stream = harness.NewStream();
//
// Filters stand in the order of the Add calls. No assertion library in here: what must not happen
// ends the test by CHECK.
#ifndef SLUICE_TESTS_SUPPORT_FILTER_HARNESS_H_
#define SLUICE_TESTS_SUPPORT_FILTER_HARNESS_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/filter/chain.h"
#include "core/filter/factory.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"
#include "tests/support/filter_stream.h"

namespace sluice {

class FilterHarness {
 public:
  FilterHarness();
  ~FilterHarness();
  FilterHarness(const FilterHarness&) = delete;
  FilterHarness& operator=(const FilterHarness&) = delete;

  // Puts the filter registered as `name` at the chain's end. Errors: what its Load says.
  Result<void> Add(std::string_view name, const google::protobuf::Message& config);
  // The same with a config as a user writes it, read as the loader does: defaults are filled in,
  // faults of form are errors too.
  Result<void> AddYaml(std::string_view name, std::string_view yaml);
  // The same with a factory of the test's own.
  void Add(std::unique_ptr<FilterFactory> factory);

  // A stream through the filters added so far. Destroy it before the harness.
  std::unique_ptr<FilterStream> NewStream();

  // Lets time pass, timer by timer, and runs what that causes.
  void Advance(Nanos by);
  // Runs what waits on the loop now.
  void RunLoop() { loop_->RunOnce(0); }

  FakeClock& clock() { return clock_; }
  Loop& loop() { return *loop_; }
  Random& random() { return random_; }
  ServerStatus& server() { return server_; }
  StatsDirectory& stats() { return *directory_; }
  // What later streams see of their connection. Change it before NewStream.
  ConnectionInfo& connection() { return connection_; }
  LoadContext& load_context() { return load_context_; }
  WorkerContext& worker_context() { return worker_context_; }
  // The value of a counter or gauge, over all rows; 0 if there is none such.
  // `labels` as in a scrape: `listener="web"`; empty: the series without labels.
  double Metric(std::string_view name, std::string_view labels = {}) const;
  // SIGUSR1 came.
  void ReopenLogs();

 private:
  FakeClock clock_;
  std::unique_ptr<Loop> loop_;
  Random random_{1};
  ServerStatus server_;
  std::unique_ptr<StatsSegment> segment_;
  std::unique_ptr<StatsDirectory> directory_;
  StatsRow row_;
  ConnectionInfo connection_;
  LoadContext load_context_;
  WorkerContext worker_context_;
  std::vector<std::unique_ptr<FilterSettings>> settings_;
  std::vector<std::unique_ptr<FilterFactory>> factories_;
  // One plan for each set of filters that streams were made with: a plan outlives its streams.
  std::vector<std::unique_ptr<ChainPlan>> plans_;
};

}  // namespace sluice

#endif  // SLUICE_TESTS_SUPPORT_FILTER_HARNESS_H_
