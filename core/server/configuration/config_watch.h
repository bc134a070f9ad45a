// ConfigWatch: reads the configuration's file again when it has changed, or one of the secret files
// that it names (`sluice run --watch`). Owned by the server, while the process is the one that
// serves; main thread.
//
// What changes within kQuiet is one change; a file that never rests is read every kLongest.
#ifndef SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_WATCH_H_
#define SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_WATCH_H_

#include <string>

#include "core/event/file_watch.h"
#include "core/event/loop.h"
#include "core/server/configuration/config_change.h"

namespace sluice {

class ConfigDesk;

class ConfigWatch final : public ConfigWitness {
 public:
  static constexpr Nanos kQuiet = 500 * kMillisecond;
  static constexpr Nanos kLongest = 5 * kSecond;

  // Both outlive it.
  ConfigWatch(Loop& loop, ConfigDesk& desk);
  ~ConfigWatch();

  // Also sees what has changed since the process read its file, or since Stop.
  void Start();
  void Stop();

  // ConfigWitness: it may name other files.
  void OnConfigUsed(ConfigSource source) override;

 private:
  void OnChange();
  void OnTimer();
  void WatchFiles();

  Loop& loop_;
  ConfigDesk& desk_;
  FileWatch files_;
  Timer timer_;
  Nanos first_ = 0;  // when the first change came that was not read yet
  bool started_ = false;
  bool started_before_ = false;
  std::string complaint_;  // the last one
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_WATCH_H_
