// ConfigDesk: the one way by which a configuration comes to be used, once the process runs: from
// its file (a signal, a command), posted, or from the history. Each goes the same way: parsed,
// checked, variables and secrets put in, compiled, its sockets and files opened, used; what fails
// on the way changes nothing. What is used is kept in the history. Owned by the server; of the main
// thread.
//
// What was posted or rolled back to is used until the file is read again, by a reload or a new
// process: the file is the truth, and a warning says which version gives way to it.
#ifndef SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_DESK_H_
#define SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_DESK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/append_file.h"
#include "core/base/result.h"
#include "core/config/config_dump.h"
#include "core/config/history.h"
#include "core/config/loader.h"
#include "core/event/loop.h"
#include "core/server/configuration/config_change.h"
#include "core/server/configuration/config_stats.h"
#include "core/server/configuration/guard_window.h"
#include "core/stats/directory.h"

namespace sluice {

// What uses configurations: the server.
class ConfigTarget {
 public:
  // Empty, or why there can be no other configuration now.
  virtual std::string WhyNoConfig() const = 0;
  // One is about to be read and compiled, which may keep the thread busy for a while.
  virtual void OnConfigComing() {}
  // Uses it from here on; requests in flight end by what they began with. After an error nothing
  // has changed, and nothing is left open.
  virtual Result<void> UseConfig(LoadedConfig loaded) = 0;
  // Whether UseConfig would take it, as far as can be said without doing it.
  virtual Result<void> TryConfig(LoadedConfig loaded) = 0;

 protected:
  ~ConfigTarget() = default;
};

struct ConfigDeskOptions {
  std::string file;          // what a reload reads
  std::string state_folder;  // of the instance; empty: no history
  size_t keep = 50;
  FileOwner owner;  // whom the process is about to become
};

class ConfigDesk {
 public:
  // All borrowed; they outlive it.
  ConfigDesk(Loop& loop, StatsDirectory& stats, ConfigTarget& target, ConfigDeskOptions options);

  // Notes the configuration that the process is about to use, and makes the history's folder: as
  // the user who started it. `last_good`: the file is bad, and this is that version of the history
  // instead; 0: it is the file's.
  void Begin(const LoadedConfig& loaded, ConfigAsker asker, uint64_t last_good = 0);
  // It is used: it goes into the history.
  void OnLive();

  // Each says what is in use then. Errors say all that is wrong, one line a fault; they are logged
  // and counted already, and nothing has changed.
  Result<ConfigOutcome> ReloadFile(ConfigAsker asker);
  // What is in use, with today's environment and secrets.
  Result<ConfigOutcome> ReadSecretsAgain(ConfigAsker asker);
  // `if_match`: the hash of what is in use, or "*"; another one is kMismatch.
  Result<ConfigOutcome> Put(std::string_view text, ConfigFormat format, std::string_view if_match,
                            bool dry_run, ConfigAsker asker);
  // Uses a version of the history again, as a new version. kNotFound: there is none.
  Result<ConfigOutcome> Rollback(uint64_t version, ConfigAsker asker);
  // The same with one that the caller has kept, also without a history.
  Result<ConfigOutcome> UseAgain(const ConfigVersion& kept, ConfigAsker asker);

  // Borrowed until taken out; told in this order.
  void Add(ConfigWitness& witness) { witnesses_.push_back(&witness); }
  void Remove(ConfigWitness& witness) { std::erase(witnesses_, &witness); }

  // What is in use.
  const ConfigVersion& current() const { return current_; }
  // Its `guard`, if it has one.
  const std::optional<GuardSettings>& guard() const { return guard_; }
  // What is in use was posted or rolled back to, and is not the file's.
  bool differs_from_file() const { return !from_file_; }
  // What is in use, in full, with today's environment and secrets (hidden).
  Result<std::string> Dump(DumpOrigin origin) const;
  // Null: it cannot be used; the log said why.
  const ConfigHistory* history() const { return history_ ? &*history_ : nullptr; }
  const std::string& file() const { return options_.file; }

 private:
  enum class From : bool { kElsewhere, kFile };

  Result<ConfigOutcome> Take(LoadedConfig loaded, const ConfigAsker& asker, From from);
  Result<ConfigOutcome> TryOut(LoadedConfig loaded, const ConfigAsker& asker);
  tl::unexpected<Error> Refuse(const ConfigAsker& asker, Error error);
  void Keep(ConfigVersion version);
  void Count(ConfigSource source, ConfigOutcome::Kind kind);
  ConfigVersion VersionOf(const LoadedConfig& loaded, const ConfigAsker& asker) const;
  void ShowCurrent();

  Loop& loop_;
  ConfigTarget& target_;
  const ConfigDeskOptions options_;
  StatsGroup<ConfigStats> stats_group_;
  ConfigStats stats_;
  std::optional<ConfigHistory> history_;
  ConfigVersion current_;
  std::string fingerprint_;   // of what is in use
  std::string process_part_;  // of what the process began with: only a new one can take it up
  bool from_file_ = true;
  bool last_good_ = false;  // what is in use is there because the file was bad at the start
  std::optional<GuardSettings> guard_;  // of what is in use
  std::vector<ConfigWitness*> witnesses_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_DESK_H_
