// ConfigGuard: goes back by itself from a configuration that answers more errors than the one
// before it (`guard` in the configuration). It looks once a second, while the configuration in use
// has a guard. Owned by the server; main thread.
//
// What the process began with is trusted, and what has stood its window; also what is used without
// a guard, or was the first with one (there is nothing to compare it with). It goes back to what
// was trusted last, by its text, which it keeps itself: it needs no history.
//
// A change of secrets alone is not guarded: the old ones are kept nowhere.
#ifndef SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_GUARD_H_
#define SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_GUARD_H_

#include <functional>
#include <optional>
#include <string>

#include "core/config/history.h"
#include "core/event/loop.h"
#include "core/server/configuration/config_change.h"
#include "core/server/configuration/guard_stats.h"
#include "core/server/configuration/guard_window.h"
#include "core/stats/directory.h"

namespace sluice {

class ConfigDesk;

class ConfigGuard final : public ConfigWitness {
 public:
  // What was answered since its last call; `changed`: another configuration is in use since then.
  using Responses = std::function<ResponseCounts(bool changed)>;

  // All borrowed; they outlive it. It listens to the desk.
  ConfigGuard(Loop& loop, StatsDirectory& stats, ConfigDesk& desk, Responses responses);
  ~ConfigGuard();

  // The process serves: now, or again. A window that Stop found open begins anew.
  void Start();
  void Stop();

  // ConfigWitness
  void OnConfigUsed(ConfigSource source) override;

 private:
  void OnTimer();
  void TrustCurrent();
  void GoBack();
  void Show();

  Loop& loop_;
  ConfigDesk& desk_;
  const Responses responses_;
  StatsGroup<GuardStats> stats_group_;
  GuardStats stats_;
  Timer timer_;
  GuardWindow window_;
  std::optional<ConfigVersion> trusted_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_GUARD_H_
