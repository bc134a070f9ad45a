// HealthChecker: the active checks of a cluster: a prober for each endpoint, whatever the number of
// workers. Owned by its cluster; of the main thread.
//
// What it finds is told once a turn, so that many endpoints that fail together are one change.
// While the first round goes on, until each endpoint there was has been checked once, only failures
// are told: else the first one found to be well would get everything.
#ifndef SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_CHECKER_H_
#define SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_CHECKER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/intrusive_list.h"
#include "core/base/random.h"
#include "core/event/loop.h"
#include "core/upstream/health/health_event.h"
#include "core/upstream/health/health_settings.h"
#include "core/upstream/health/health_stats.h"
#include "core/upstream/health/prober.h"

namespace sluice {

struct EndpointSet;

class HealthChecker {
 public:
  // The first checks of many endpoints are begun so far from each other, but those of few within
  // kFirstChecks.
  static constexpr Nanos kBetweenFirst = 100 * kMicrosecond;
  static constexpr Nanos kFirstChecks = 20 * kMillisecond;

  // What endpoints are to be taken for.
  using Verdicts = std::vector<std::pair<std::string_view, HealthVerdict>>;
  // Is told what has changed, and when warm() has. It must not destroy the checker.
  using Publish = std::function<void(const Verdicts&)>;

  // All outlive it. `stats` is of the main thread's row.
  HealthChecker(Loop& loop, const ClusterSettings& cluster, HealthSettings settings,
                const HealthStats& stats, Publish publish);
  HealthChecker(const HealthChecker&) = delete;
  HealthChecker& operator=(const HealthChecker&) = delete;

  // Checks these endpoints from here on, and no others. Those that are new are taken for what
  // their faults say until the first result.
  void Update(const EndpointSet& set);
  // Begins to check; Stop breaks off. Each does nothing if that was so.
  void Start();
  void Stop();
  // Has each endpoint that there was at the start been checked once?
  bool warm() const { return !first_round_ || probers_.empty(); }

  // `subscriber` is told of each check that was made, after the turn it ended in and before the
  // endpoint set that follows from it. It must not destroy the cluster.
  void Subscribe(HealthSubscriber subscriber) { subscribers_.push_back(std::move(subscriber)); }
  // Null: there is no such endpoint.
  const Prober* Find(std::string_view endpoint) const;

 private:
  friend class Prober;
  // Of probers: a check was made; the first since Start was, or was tried.
  void OnChecked(Prober& prober);
  void OnAnswered();
  void Tell();
  void TellOf(Prober& prober, Verdicts& verdicts);
  void StartProber(Prober& prober, size_t together);

  Loop& loop_;
  const ClusterSettings& cluster_;
  const HealthSettings settings_;
  HealthStats stats_;
  Publish publish_;
  Random random_;
  const Prober::Context context_;
  std::vector<HealthSubscriber> subscribers_;
  Task tell_;
  List<Prober> told_;
  std::unordered_map<std::string, std::unique_ptr<Prober>> probers_;
  size_t unanswered_ = 0;  // probers that have no answer since Start
  bool started_ = false;
  bool first_round_ = true;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_HEALTH_HEALTH_CHECKER_H_
