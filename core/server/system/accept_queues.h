// AcceptQueues: clients that the kernel has connected and no worker has accepted yet, by listener.
// Owned by SystemFigures; of the main thread.
#ifndef SLUICE_CORE_SERVER_SYSTEM_ACCEPT_QUEUES_H_
#define SLUICE_CORE_SERVER_SYSTEM_ACCEPT_QUEUES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/stats/counter.h"
#include "core/stats/gauge.h"

namespace sluice {

class MetricTable;
class StatsDirectory;

// Of one listening TCP socket.
struct AcceptQueue {
  uint32_t waiting = 0;
  uint32_t limit = 0;  // one more fits
  uint32_t drops = 0;  // connections that the socket turned away in its life
};
// Nothing: it is no such socket.
std::optional<AcceptQueue> ReadAcceptQueue(int fd);

struct ListeningSocket {
  std::string listener;
  int fd = -1;
};

class AcceptQueues {
 public:
  // The directory outlives them.
  explicit AcceptQueues(StatsDirectory& directory) : directory_(directory) {}

  // `sockets`: all that there are. A system call or two for each. `counting`: as
  // CounterFigure::Update.
  void Sample(const std::vector<ListeningSocket>& sockets, bool counting);

 private:
  struct Stats {
    Gauge waiting;
    Gauge limit;
    Counter drops;

    void Describe(MetricTable& table);
  };
  struct Listener {
    Stats stats;
    std::map<int, uint32_t> drops;  // of each socket, as last seen
  };

  StatsDirectory& directory_;
  std::map<std::string, Listener> listeners_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SYSTEM_ACCEPT_QUEUES_H_
