// What Serving says of itself: Serving::Report.
#include <algorithm>
#include <tuple>
#include <utility>

#include "core/base/block.h"
#include "core/proxy/stream_memory.h"
#include "core/server/serving.h"
#include "core/server/worker_report.h"
#include "core/upstream/worker_cluster.h"

namespace sluice {
namespace {

// What decides, first of all; more comes first.
uint64_t Rank(ConnectionOrder order, const ServerConnection& connection) {
  switch (order) {
    case ConnectionOrder::kRequests:
      return connection.requests();
    case ConnectionOrder::kAge:
      return ~static_cast<uint64_t>(connection.info().start);
    default:
      return connection.bytes_received() + connection.bytes_sent();
  }
}

uint64_t Rank(ConnectionOrder order, const WorkerReport::Connection& connection) {
  switch (order) {
    case ConnectionOrder::kRequests:
      return connection.requests;
    case ConnectionOrder::kAge:
      return static_cast<uint64_t>(connection.age);
    default:
      return connection.received + connection.sent;
  }
}

WorkerReport::Connection Describe(const ServerConnection& connection, Nanos now) {
  const ConnectionInfo& info = connection.info();
  WorkerReport::Connection entry;
  entry.id = info.id;
  entry.listener = info.listener;
  entry.remote = info.remote.ToString();
  entry.age = now - info.start;
  entry.requests = connection.requests();
  entry.received = connection.bytes_received();
  entry.sent = connection.bytes_sent();
  entry.idle = connection.idle();
  return entry;
}

}  // namespace

bool ComesBefore(ConnectionOrder order, const WorkerReport::Connection& a,
                 const WorkerReport::Connection& b) {
  return std::tuple(Rank(order, a), b.id) > std::tuple(Rank(order, b), a.id);
}

WorkerReport Serving::Report(const WorkerQuestion& question) {
  WorkerReport report;
  report.open_connections = connections_;
  report.load = load_;
  report.lag = lag_;
  report.free_blocks = Block::PooledBytes();
  report.free_streams = PooledStreamBytes();
  if (question.connections > 0) {
    std::vector<std::pair<uint64_t, const ServerConnection*>> all;
    ForEachAcceptor([&](Acceptor& acceptor) {
      acceptor.ForEachConnection([&](const ServerConnection& connection) {
        all.emplace_back(Rank(question.order, connection), &connection);
      });
    });
    const size_t count = std::min(question.connections, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<ptrdiff_t>(count), all.end(),
                      [](const auto& a, const auto& b) {
                        return std::tuple(a.first, b.second->info().id) >
                               std::tuple(b.first, a.second->info().id);
                      });
    for (size_t i = 0; i < count; ++i) {
      report.connections.push_back(Describe(*all[i].second, loop_.now()));
    }
  }
  if (question.endpoints) {
    for (const auto& [cluster, own] : clusters_) {
      own->ForEachEndpoint([&, &name = own->settings().name](WorkerEndpoint& endpoint) {
        report.endpoints.push_back(
            {name, endpoint.text, endpoint.pool.connections(), endpoint.pool.InFlight()});
      });
    }
  }
  return report;
}

}  // namespace sluice
