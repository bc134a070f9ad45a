// OverloadWatch: looks once a second at what runs short (memory, connections, fds, the workers'
// time), and gives up what the configuration says for it, in three steps: keep-alive, requests of
// low priority, new connections. Workers read in ServerStatus which are taken. Each step that is
// taken, or taken back, is a line of the log. The admin API and what answers health checks are
// never touched by the second step, nor the admin API by the third. Owned by the server; of the
// main thread.
#ifndef SLUICE_CORE_SERVER_OVERLOAD_OVERLOAD_WATCH_H_
#define SLUICE_CORE_SERVER_OVERLOAD_OVERLOAD_WATCH_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "core/event/loop.h"
#include "core/filter/factory.h"
#include "core/server/overload/overload_steps.h"
#include "core/stats/gauge.h"

namespace sluice {

namespace config {
class Overload;
}
class StatsDirectory;

// How much of each there is in use. Nothing: that is not known, and as if none were.
struct OverloadFigures {
  std::optional<double> memory;          // a share of 1, of the cgroup's limit
  std::optional<double> machine_memory;  // the same, of all there is
  std::optional<double> connections;     // the same
  std::optional<double> fds;             // the same
  std::optional<Nanos> loop_lag;         // the latest timer of the worst worker
};

class OverloadWatch {
 public:
  static constexpr Nanos kEvery = kSecond;

  // `read` says how things are. `stop_keep_alive` is called when that step is taken, with true, and
  // when it is taken back. `status` outlives the watch, as do loop and directory.
  OverloadWatch(Loop& loop, StatsDirectory& directory, ServerStatus& status,
                std::function<OverloadFigures()> read,
                std::function<void(bool taken)> stop_keep_alive);

  // Goes by this configuration from the next look on. Resources that it does not name have no
  // steps, but for the memory of a cgroup that has a limit, which has the usual ones.
  void Use(const config::Overload& config);
  // Looks now, beside the looks of every second.
  void Look();

 private:
  enum Resource : uint8_t { kMemory, kConnections, kFds, kLoopLag, kResources };

  void OnTimer();
  void Update(Resource resource, double figure);
  void Publish();

  ServerStatus& status_;
  const std::function<OverloadFigures()> read_;
  const std::function<void(bool)> stop_keep_alive_;
  std::array<OverloadSteps, kResources> resources_;
  std::array<std::array<Gauge, kOverloadSteps>, kResources> gauges_;
  bool machine_memory_ = false;  // counts where the cgroup has no limit
  Timer timer_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_OVERLOAD_OVERLOAD_WATCH_H_
