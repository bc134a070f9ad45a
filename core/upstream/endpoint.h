// Endpoint: one address of a cluster. EndpointSet: all of them at one moment, immutable, built on
// the main thread at each change of config, DNS or health, and published to the workers.
#ifndef SLUICE_CORE_UPSTREAM_ENDPOINT_H_
#define SLUICE_CORE_UPSTREAM_ENDPOINT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/net/address.h"
#include "core/stats/scope.h"

namespace sluice {

struct EndpointStats {
  Counter requests;
  Counter failures;  // connects that failed, resets, timeouts and 5xx

  void Describe(MetricTable& table) {
    table.Add(requests,
              Metric{"sluice_endpoint_requests_total", "Requests sent to the endpoint."}.OfMany());
    table.Add(failures,
              Metric{"sluice_endpoint_failures_total",
                     "Requests that failed at the endpoint: connect, reset, timeout, 5xx."}
                  .OfMany());
  }
};

struct Endpoint {
  Address address;
  std::string text;      // "127.0.0.1:9001"
  std::string hostname;  // the name it was resolved from; empty if the config gave the address
  uint32_t weight = 1;
  StatsGroup<EndpointStats> stats;
};

struct EndpointSet {
  std::vector<Endpoint> endpoints;
  // Those that an operator has drained: they get no new requests. For showing.
  std::vector<Endpoint> drained;
  uint64_t version = 0;  // grows with each change
  uint64_t total_weight = 0;
};

using EndpointSetPtr = std::shared_ptr<const EndpointSet>;

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_ENDPOINT_H_
