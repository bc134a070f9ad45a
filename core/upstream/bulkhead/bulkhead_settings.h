// BulkheadSettings: a bulkhead of the configuration, with what its workers share. Made on the main
// thread; immutable but for the counts, read by all workers. Owned by the cluster, or by the
// route's listener settings.
#ifndef SLUICE_CORE_UPSTREAM_BULKHEAD_BULKHEAD_SETTINGS_H_
#define SLUICE_CORE_UPSTREAM_BULKHEAD_BULKHEAD_SETTINGS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/config/hash_keys.h"
#include "core/stats/scope.h"
#include "core/stats/shared_gauge.h"
#include "core/stats/shared_word.h"
#include "core/upstream/bulkhead/adaptive_limit.h"
#include "core/upstream/bulkhead/admission_queue.h"
#include "core/upstream/bulkhead/bulkhead_stats.h"
#include "core/upstream/bulkhead/consumer_counts.h"

namespace sluice {

namespace config {
class Bulkhead;
}
class StatsDirectory;

struct BulkheadSettings {
  // `labels`: of its metrics, such as the cluster's name; the same ones are the same bulkhead, also
  // over reloads.
  BulkheadSettings(const config::Bulkhead& config, StatsDirectory& directory,
                   const LabelList& labels);

  // The limit for those who may not use what is reserved, of a limit for all.
  uint32_t WithoutReserve(uint32_t limit) const;

  uint32_t requests;
  double reserve;  // share of the limit
  std::optional<AdaptiveLimitSettings> adaptive;
  AdmissionQueueSettings queue;
  HashSource consumer;
  std::unique_ptr<ConsumerCounts> consumers;  // null: all requests have one bulkhead
  std::unique_ptr<ConsumerCounts> waiters;    // of them, those who wait; by the same keys
  SharedGauge active;
  SharedGauge waiting;
  SharedWords words;  // of the adaptive limit
  SharedGauge limit;  // shown, where it is adaptive
  SharedGauge gradient;
  StatsGroup<BulkheadStats> stats;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BULKHEAD_BULKHEAD_SETTINGS_H_
