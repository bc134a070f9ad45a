// What a worker says of itself when the main thread asks (Worker::Ask): for the pages of the admin
// API that no metric can answer. Values.
#ifndef SLUICE_CORE_SERVER_WORKER_REPORT_H_
#define SLUICE_CORE_SERVER_WORKER_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"

namespace sluice {

enum class ConnectionOrder : uint8_t { kBytes, kRequests, kAge };

struct WorkerQuestion {
  // The first so many client connections in this order; 0: none.
  size_t connections = 0;
  ConnectionOrder order = ConnectionOrder::kBytes;
  bool endpoints = false;
};

struct WorkerReport {
  struct Connection {
    uint64_t id = 0;  // counts within the worker
    std::string listener;
    std::string remote;
    Nanos age = 0;
    uint64_t requests = 0;
    uint64_t received = 0;  // bytes
    uint64_t sent = 0;
    bool idle = false;
  };
  // Also those that left the cluster's set and have something to finish.
  struct Endpoint {
    std::string cluster;
    std::string address;
    uint32_t connections = 0;
    uint32_t requests = 0;  // in flight
  };

  std::vector<Connection> connections;  // in order
  size_t open_connections = 0;
  double load = 0;  // CPU seconds of the last full second
  Nanos lag = 0;    // how late its last timer was
  std::vector<Endpoint> endpoints;
  // In the thread's free lists, bytes.
  size_t free_blocks = 0;
  size_t free_streams = 0;
};

// Which of two comes first?
bool ComesBefore(ConnectionOrder order, const WorkerReport::Connection& a,
                 const WorkerReport::Connection& b);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_WORKER_REPORT_H_
