// SystemFigures: what the process takes, what its cgroup and the machine have, as metrics: read
// once a second, and what costs more once in ten seconds and when somebody asks. Owned by the
// server; of the main thread. Nothing here is an error: what the machine does not say has no
// metric.
//
// Figures of the machine and of the cgroup are the same for both processes of a restart: the one
// that serves counts them.
#ifndef SLUICE_CORE_SERVER_SYSTEM_SYSTEM_FIGURES_H_
#define SLUICE_CORE_SERVER_SYSTEM_SYSTEM_FIGURES_H_

#include <functional>
#include <string>
#include <vector>

#include "core/event/loop.h"
#include "core/server/system/accept_queues.h"
#include "core/server/system/cgroup_figures.h"
#include "core/server/system/host_figures.h"
#include "core/server/system/log_volume.h"
#include "core/server/system/process_figures.h"

namespace sluice {

struct SystemSources {
  std::function<std::vector<ListeningSocket>()> sockets;
  std::function<std::vector<std::string>()> log_paths;
  std::string proc = "/proc";
};

class SystemFigures {
 public:
  static constexpr Nanos kEvery = kSecond;
  static constexpr int kAllEvery = 10;

  // Samples at once, and from then on. All borrowed.
  SystemFigures(Loop& loop, StatsDirectory& directory, SystemSources sources);

  // This process serves, or does not any more.
  void SetServing(bool serving);
  // Brings all up to date. Takes some hundred microseconds.
  void SampleAll();

 private:
  void OnTimer();

  const SystemSources sources_;
  ProcessFigures process_;
  CgroupFigures cgroup_;
  HostFigures host_;
  LogVolume log_volume_;
  AcceptQueues accept_queues_;
  Timer timer_;
  int until_all_ = kAllEvery;
  bool serving_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SYSTEM_SYSTEM_FIGURES_H_
