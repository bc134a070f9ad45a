// Snapshot: one complete, immutable configuration. Built on the main thread; workers hold it by
// `shared_ptr<const Snapshot>` (the only shared lifetime there is) and read it without locks; a
// stream keeps the one it began with. Everything reachable from here is const after publishing.
#ifndef SLUICE_CORE_CONFIG_SNAPSHOT_H_
#define SLUICE_CORE_CONFIG_SNAPSHOT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/config/error.h"

namespace sluice {

namespace config {
class Config;
}  // namespace config

struct LoadedConfig;

class Snapshot {
 public:
  // `version` counts from 1 in the life of a process.
  Snapshot(LoadedConfig loaded, uint64_t version);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  const config::Config& config() const { return *config_; }
  const std::string& file() const { return file_; }
  uint64_t content_hash() const { return content_hash_; }
  uint64_t version() const { return version_; }
  const std::vector<ConfigError>& warnings() const { return warnings_; }

 private:
  std::unique_ptr<const config::Config> config_;
  std::string file_;
  uint64_t content_hash_;
  uint64_t version_;
  std::vector<ConfigError> warnings_;
  // What is compiled from config_, such as route tables, is a member after it: it may point into
  // it.
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_SNAPSHOT_H_
