#include "core/config/loader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/result.h"
#include "core/base/strings.h"
#include "core/config/checks.h"
#include "core/config/config.pb.h"
#include "core/config/filter_reader.h"
#include "core/config/hash.h"
#include "core/config/message_reader.h"
#include "core/config/secrets.h"
#include "core/config/toml_parser.h"
#include "core/config/yaml_parser.h"

namespace sluice {
namespace {

// FNV-1a, 64 bits (Fowler, Noll, Vo): tells versions of a file apart, nothing more.
uint64_t Hash(std::string_view text) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

// What we hold open already, such as stdin or a shell's <(...), may be a pipe: whoever starts us
// writes to it.
bool IsOwnFd(std::string_view path) {
  return path == "/dev/stdin" || path.starts_with("/dev/fd/") || path.starts_with("/proc/self/fd/");
}

std::string_view KindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a named pipe";
  return "a device";
}

// Opens a regular file, or one that is our own. Anything else could keep us waiting for good.
Result<int> OpenFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return Fail(SystemError("open", errno));
  struct stat about {};
  if (fstat(fd, &about) != 0 || (!S_ISREG(about.st_mode) && !IsOwnFd(path))) {
    close(fd);
    return Fail(Code::kInvalidArgument, StrCat({"expected a file, got ", KindOf(about.st_mode)}));
  }
  fcntl(fd, F_SETFL, 0);  // its writer may take its time
  return fd;
}

Result<std::string> ReadFile(const std::string& path) {
  const Result<int> opened = OpenFile(path);
  if (!opened) return Fail(opened.error());
  const int fd = *opened;
  std::string text;
  char piece[65536];
  ssize_t got = 0;
  // One byte more than allowed is enough to see that it is too much.
  while (text.size() <= kMaxConfigBytes) {
    got = read(fd, piece, sizeof(piece));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(piece, static_cast<size_t>(got));
  }
  const int error = errno;
  close(fd);
  if (got < 0) return Fail(SystemError("read", error));
  return text;
}

// The top-level zone is that of every cluster that has none of its own.
void FillZones(config::Config& config) {
  for (config::Cluster& cluster : *config.mutable_clusters()) {
    if (cluster.balance().zone().empty()) cluster.mutable_balance()->set_zone(config.zone());
  }
}

}  // namespace

ParseResult ParseConfig(std::string_view text, ConfigFormat format) {
  if (text.size() > kMaxConfigBytes) {
    return tl::unexpected<ParseProblem>(
        ParseProblem{Mark(), StrCat({"larger than ", Decimal(kMaxConfigBytes >> 20), " MiB"})});
  }
  switch (format) {
    case ConfigFormat::kYaml:
      return ParseYaml(text);
    case ConfigFormat::kJson:
      return ParseJson(text);
    case ConfigFormat::kToml:
      return ParseToml(text);
  }
  return Node();
}

LoadedConfig::LoadedConfig() = default;
LoadedConfig::~LoadedConfig() = default;
LoadedConfig::LoadedConfig(LoadedConfig&&) noexcept = default;
LoadedConfig& LoadedConfig::operator=(LoadedConfig&&) noexcept = default;

ConfigError LoadedConfig::Problem(std::string path, std::string message) const {
  const Mark mark = FindNearest(source, path).mark;
  return ConfigError{file, mark.line, mark.column, std::move(path),
                     WithoutSecrets(std::move(message), secrets)};
}

ConfigFormat FormatOfFile(std::string_view path) {
  const auto ends_with = [&](std::string_view end) {
    return path.size() > end.size() && EqualsIgnoreCase(path.substr(path.size() - end.size()), end);
  };
  if (ends_with(".json")) return ConfigFormat::kJson;
  if (ends_with(".toml")) return ConfigFormat::kToml;
  return ConfigFormat::kYaml;
}

LoadResult LoadConfigFile(const std::string& path, const EnvLookup& env,
                          const FilterSchemas& schemas) {
  const auto text = ReadFile(path);
  if (!text) {
    return tl::unexpected<std::vector<ConfigError>>(
        std::vector<ConfigError>{ConfigError{path, 0, 0, "", text.error().detail}});
  }
  return LoadConfigText(*text, FormatOfFile(path), path, env, schemas);
}

LoadResult LoadConfigText(std::string_view text, ConfigFormat format, std::string file,
                          const EnvLookup& env, const FilterSchemas& schemas) {
  ConfigProblems problems(file);
  LoadedConfig loaded;
  loaded.file = std::move(file);
  loaded.text = text;
  loaded.format = format;
  loaded.content_hash = Hash(text);
  loaded.config = std::make_unique<config::Config>();
  ParseResult parsed = ParseConfig(text, format);
  if (parsed) {
    loaded.source = *std::move(parsed);
    References references = Substitute(loaded.source, env, problems);
    loaded.references = std::move(references.all);
    loaded.fingerprint = ConfigHash(
        StrCat({kFormatNames[static_cast<size_t>(format)], "\n", text, "\n", references.values}));
    MessageReader(problems).Read(loaded.source, FieldPath{}, *loaded.config);
    ReadFilters(loaded.source, schemas, *loaded.config, problems);
    CheckConfig(loaded.source, *loaded.config, problems);
    FillZones(*loaded.config);
  } else {
    problems.Add(parsed.error().mark, "", std::move(parsed.error().message));
  }
  if (problems.has_errors()) {
    return tl::unexpected<std::vector<ConfigError>>(problems.TakeErrors());
  }
  loaded.warnings = problems.TakeWarnings();
  loaded.secrets = problems.secrets();
  return loaded;
}

std::vector<ConfigError> LoadMessage(std::string_view text, ConfigFormat format,
                                     google::protobuf::Message& message) {
  ConfigProblems problems("config");
  ParseResult parsed = ParseConfig(text, format);
  if (parsed) {
    MessageReader(problems).Read(*parsed, FieldPath{}, message);
  } else {
    problems.Add(parsed.error().mark, "", std::move(parsed.error().message));
  }
  return problems.TakeErrors();
}

}  // namespace sluice
