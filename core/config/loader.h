// Reads a configuration from a file: YAML, JSON or TOML, strict, all faults at once. Nothing is
// applied here: the caller makes a Snapshot of what it gets (snapshot.h). Main thread; blocks on
// the file.
#ifndef SLUICE_CORE_CONFIG_LOADER_H_
#define SLUICE_CORE_CONFIG_LOADER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "core/config/env.h"
#include "core/config/error.h"
#include "core/config/filter_schemas.h"
#include "core/config/node.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace sluice {

namespace config {
class Config;
}  // namespace config

enum class ConfigFormat : uint8_t { kYaml, kJson, kToml };
inline constexpr std::string_view kFormatNames[] = {"yaml", "json", "toml"};

// By the file's extension; YAML if it is none of .json and .toml.
ConfigFormat FormatOfFile(std::string_view path);

struct LoadedConfig {
  LoadedConfig();
  ~LoadedConfig();
  LoadedConfig(LoadedConfig&&) noexcept;
  LoadedConfig& operator=(LoadedConfig&&) noexcept;

  // An error or warning at the place that a path such as listeners[0].routes[2].cluster has in the
  // file, for checks that come after loading.
  ConfigError Problem(std::string path, std::string message) const;

  std::unique_ptr<config::Config> config;  // never null after loading
  std::string file;
  std::string text;  // as it was given, with its ${...}
  ConfigFormat format = ConfigFormat::kYaml;
  uint64_t content_hash = 0;  // of the file's bytes
  // SHA-256, in hex, of the text and of all that its ${...} stood for: the same means that nothing
  // has changed. Not to be shown or stored: a secret could be guessed by it.
  std::string fingerprint;
  std::vector<ConfigError> warnings;
  Node source;  // what the file says
  std::vector<Reference> references;
  std::vector<std::string> secrets;  // no message may hold these (secrets.h); Problem does not
};

// What the text says, before the schema is asked.
ParseResult ParseConfig(std::string_view text, ConfigFormat format);

// The configuration, or all that is wrong with it, in the order of the file.
using LoadResult = tl::expected<LoadedConfig, std::vector<ConfigError>>;

LoadResult LoadConfigFile(const std::string& path, const EnvLookup& env,
                          const FilterSchemas& schemas);
// `file` is only a name for messages.
LoadResult LoadConfigText(std::string_view text, ConfigFormat format, std::string file,
                          const EnvLookup& env, const FilterSchemas& schemas);

// Reads one message of any schema, empty before, with defaults, as filter tests and tools need it:
// LoadMessage("{ percent: 5% }", ConfigFormat::kYaml, message). Returns what is wrong.
std::vector<ConfigError> LoadMessage(std::string_view text, ConfigFormat format,
                                     google::protobuf::Message& message);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_LOADER_H_
