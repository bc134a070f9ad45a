// OutlierDetector: ejects the endpoints of a cluster that answer requests badly, and takes them
// back when their time is over. Workers count (OutlierMeter), this judges: failures in a row within
// kLookEvery, what compares endpoints with each other once an interval.
//
// Owned by its cluster; of the main thread. What it decides stands in the endpoints' words, and
// each detector that has them, of the process before or the configuration after, brings its
// cluster's endpoint set in line with them. Of a sweep only one of them is the judge.
#ifndef SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_DETECTOR_H_
#define SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_DETECTOR_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/event/timer.h"
#include "core/stats/shared_word.h"
#include "core/upstream/outlier/outlier_rules.h"
#include "core/upstream/outlier/outlier_settings.h"
#include "core/upstream/outlier/outlier_stats.h"

namespace sluice {

class Cluster;
class Loop;
struct Endpoint;
struct EndpointSet;

class OutlierDetector {
 public:
  static constexpr Nanos kLookEvery = 100 * kMillisecond;

  // All outlive it. `words` are the cluster's.
  OutlierDetector(Cluster& cluster, Loop& loop, const OutlierSettings& settings, SharedWords words,
                  const OutlierStats& stats);
  ~OutlierDetector();
  OutlierDetector(const OutlierDetector&) = delete;
  OutlierDetector& operator=(const OutlierDetector&) = delete;

  // Grows when there is something to look at: workers add to it.
  SharedWord changes() const { return words_[kChanges]; }

  // Looks from here on, first after kLookEvery.
  void Start();

  // An active check of the endpoint of that text has passed: it is taken back at once, if it was
  // ejected.
  void OnCheckPassed(std::string_view endpoint);

 private:
  enum Place : size_t { kChanges = 0, kNextSweep = 1 };

  // Of the endpoints of a set.
  struct Tally {
    size_t endpoints = 0;
    size_t ejected = 0;
    size_t usable = 0;
  };

  void Look();
  // Is it time to compare, and is it this detector that does?
  bool TakeSweep();
  void ReturnThoseDue(const EndpointSet& set);
  static Tally Count(const EndpointSet& set);
  void EjectTriggered(const EndpointSet& set, Tally& tally);
  void Sweep(const EndpointSet& set, Tally& tally);
  void Eject(const Endpoint& endpoint, EjectionCause cause, std::string_view why, Tally& tally);
  void Return(const Endpoint& endpoint, std::string_view why);
  // Makes the cluster's endpoint set say what the words say.
  void Publish();
  std::string NameOf(const Endpoint& endpoint) const;

  Cluster& cluster_;
  Loop& loop_;
  const OutlierSettings& settings_;
  SharedWords words_;
  OutlierStats stats_;
  Random random_;
  uint64_t seen_changes_ = 0;
  uint64_t seen_version_ = 0;  // of the endpoint set
  Nanos next_return_ = 0;      // of the endpoints of that version
  int64_t ejected_ = 0;        // its share of the gauge
  Timer timer_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_DETECTOR_H_
