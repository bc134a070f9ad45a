// The metrics of a bulkhead, of a route or a cluster, that each worker counts for itself.
#ifndef SLUICE_CORE_UPSTREAM_BULKHEAD_BULKHEAD_STATS_H_
#define SLUICE_CORE_UPSTREAM_BULKHEAD_BULKHEAD_STATS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/stats/scope.h"

namespace sluice {

struct BulkheadStats {
  // Why a request was not let in.
  enum Refusal : uint8_t {
    kFull,     // there is no queue, or it is full of others that come first
    kEvicted,  // it gave its place in the queue to one of a higher priority
    kTimeout,  // it waited for as long as it may
    kRefusals
  };

  Counter refused[kRefusals];
  Histogram wait;

  void Describe(MetricTable& table) {
    constexpr std::string_view kReasons[] = {"full", "evicted", "timeout"};
    for (size_t i = 0; i < kRefusals; ++i) {
      table.Add(refused[i],
                Metric{"sluice_bulkhead_refused_total",
                       "Requests that the bulkhead did not let in, by reason."}
                    .OfMany(),
                {{"reason", kReasons[i]}});
    }
    table.Add(wait, Metric{"sluice_bulkhead_wait_duration_seconds",
                           "How long those waited that were let in from the queue.",
                           MetricUnit::kMicroseconds}
                        .OfMany());
  }
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BULKHEAD_BULKHEAD_STATS_H_
