#include "core/server/system/accept_queues.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "core/stats/directory.h"
#include "core/stats/scope.h"

namespace sluice {

// Linux uses two fields of TCP_INFO anew for a listening socket: see tcp_get_info in its source.
std::optional<AcceptQueue> ReadAcceptQueue(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_state != TCP_LISTEN) {
    return std::nullopt;
  }
  AcceptQueue queue{info.tcpi_unacked, info.tcpi_sacked, 0};
  uint32_t memory[SK_MEMINFO_VARS] = {};
  size = sizeof(memory);
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) == 0) {
    queue.drops = memory[SK_MEMINFO_DROPS];
  }
  return queue;
}

void AcceptQueues::Stats::Describe(MetricTable& table) {
  table.Add(waiting, {"sluice_downstream_accept_queue_connections",
                      "Clients that are connected and that no worker has accepted yet.",
                      MetricUnit::kNone, GaugeOf::kLatestProcess});
  table.Add(limit, {"sluice_downstream_accept_queue_limit",
                    "How many of these there may be; the kernel turns more away.",
                    MetricUnit::kNone, GaugeOf::kLatestProcess});
  table.Add(drops, {"sluice_downstream_accept_queue_drops_total",
                    "Clients that the kernel turned away, most often because the queue was full."});
}

void AcceptQueues::Sample(const std::vector<ListeningSocket>& sockets, bool counting) {
  struct Sum {
    int64_t waiting = 0;
    int64_t limit = 0;
    uint64_t drops = 0;
    std::map<int, uint32_t> now;
  };
  std::map<std::string, Sum> sums;
  for (const ListeningSocket& socket : sockets) {
    const std::optional<AcceptQueue> queue = ReadAcceptQueue(socket.fd);
    if (!queue) continue;
    Sum& sum = sums[socket.listener];
    sum.waiting += queue->waiting;
    sum.limit += queue->limit;
    sum.now[socket.fd] = queue->drops;
    const auto known = listeners_.find(socket.listener);
    if (known == listeners_.end()) continue;
    const auto before = known->second.drops.find(socket.fd);
    if (before == known->second.drops.end() || queue->drops < before->second) continue;
    sum.drops += queue->drops - before->second;
  }
  for (auto& [name, sum] : sums) {
    auto known = listeners_.find(name);
    if (known == listeners_.end()) {
      const StatsScope scope(directory_, {{"listener", name}});
      Listener listener{scope.Group<Stats>().Bind(directory_.main_row()), {}};
      known = listeners_.emplace(name, std::move(listener)).first;
    }
    Listener& listener = known->second;
    listener.stats.waiting.Set(sum.waiting);
    listener.stats.limit.Set(sum.limit);
    if (counting) listener.stats.drops.Inc(sum.drops);
    listener.drops = std::move(sum.now);
  }
  for (auto each = listeners_.begin(); each != listeners_.end();) {
    if (sums.contains(each->first)) {
      ++each;
      continue;
    }
    each->second.stats.waiting.Set(0);
    each->second.stats.limit.Set(0);
    each = listeners_.erase(each);
  }
}

}  // namespace sluice
