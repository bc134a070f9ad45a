// A change of the configuration: who wants it, and what came of it. Values; any thread.
#ifndef SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_CHANGE_H_
#define SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_CHANGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/error.h"
#include "core/config/history.h"

namespace sluice {

enum class ConfigSource : uint8_t { kStart, kSignal, kCommand, kHttp, kWatch, kGuard };
inline constexpr size_t kConfigSources = 6;

// "start", "signal", ...: as metrics and the history say it.
constexpr std::string_view ConfigSourceName(ConfigSource source) {
  constexpr std::string_view kNames[] = {"start", "signal", "command", "http", "watch", "guard"};
  return kNames[static_cast<size_t>(source)];
}

struct ConfigAsker {
  ConfigSource source = ConfigSource::kStart;
  std::string author;  // a user, an address
  std::string reason;  // may be empty
};

struct ConfigOutcome {
  enum class Kind : uint8_t { kApplied, kUnchanged, kGood };  // kGood: a dry run

  Kind kind = Kind::kApplied;
  ConfigVersion version;  // in use now; of a dry run, with its hash but without a number
  std::vector<ConfigError> warnings;

  // "reloaded: version 7", "nothing has changed: version 7 stays", "it is good; nothing was done".
  std::string Text() const;
};

// Is told of each configuration that comes into use, once it is; by the desk, which says which.
class ConfigWitness {
 public:
  virtual void OnConfigUsed(ConfigSource source) = 0;

 protected:
  ~ConfigWitness() = default;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_CHANGE_H_
