#include "core/server/configuration/config_desk.h"

#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/server/configuration/state_folder.h"
#include "core/server/configuration/whole_config.h"
#include "core/server/registered_filters.h"

namespace sluice {
namespace {

void Warn(std::string_view message) { Log(LogLevel::kWarning, "config", message); }

// What only a new process can take up, as bytes to compare.
std::string ProcessPart(const config::Config& config) {
  config::Config part = config;
  part.clear_listeners();
  part.clear_clusters();
  part.clear_runtime();
  part.clear_guard();
  return part.SerializeAsString();
}

std::optional<GuardSettings> GuardOf(const config::Config& config) {
  if (!config.has_guard()) return std::nullopt;
  const config::Guard& guard = config.guard();
  return GuardSettings{guard.window(), guard.before(), guard.max_error_increase(),
                       guard.min_responses()};
}

std::string Number(const ConfigVersion& version) {
  return version.version == 0 ? "the configuration in use"
                              : StrCat({"version ", Decimal(version.version)});
}

std::string Whose(const ConfigAsker& asker) {
  return StrCat({ConfigSourceName(asker.source), ", ", asker.author,
                 asker.reason.empty() ? "" : ": ", asker.reason});
}

// The gauge is a double to Prometheus: 48 bits are exact.
int64_t LeadingBits(std::string_view hex) {
  int64_t bits = 0;
  for (const char c : hex.substr(0, 12)) bits = bits * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
  return bits;
}

}  // namespace

std::string ConfigOutcome::Text() const {
  switch (kind) {
    case Kind::kApplied:
      return StrCat({"reloaded: ", Number(version)});
    case Kind::kUnchanged:
      return StrCat({"nothing has changed: ", Number(version), " stays"});
    case Kind::kGood:
      return "it is good; nothing was done";
  }
  return "";
}

ConfigDesk::ConfigDesk(Loop& loop, StatsDirectory& stats, ConfigTarget& target,
                       ConfigDeskOptions options)
    : loop_(loop),
      target_(target),
      options_(std::move(options)),
      stats_group_(StatsScope(stats).Group<ConfigStats>()),
      stats_(stats_group_.Bind(stats.main_row())) {}

void ConfigDesk::Begin(const LoadedConfig& loaded, ConfigAsker asker, uint64_t last_good) {
  if (last_good != 0) {
    from_file_ = false;
    last_good_ = true;
    asker.reason = StrCat({"last good: version ", Decimal(last_good)});
  }
  process_part_ = ProcessPart(*loaded.config);
  fingerprint_ = loaded.fingerprint;
  guard_ = GuardOf(*loaded.config);
  current_ = VersionOf(loaded, asker);
  current_.from_file = from_file_;
  if (options_.state_folder.empty()) {
    return Warn("there is no folder for the history of configurations: set state.path");
  }
  Result<ConfigHistory> history =
      ConfigHistory::Open(HistoryFolderOf(options_.state_folder), options_.keep, options_.owner);
  if (history) {
    history_ = std::move(*history);
  } else {
    stats_.history_failures.Inc();
    Warn(StrCat({"configurations are not kept: ", history.error().detail}));
  }
}

void ConfigDesk::OnLive() {
  if (history_ && from_file_) {
    const Result<ConfigVersion> newest = history_->Newest();
    const bool other = newest && newest->hash != ConfigHash(current_.text);
    if (other && newest->file == options_.file && !newest->from_file) {
      Warn(StrCat({Number(*newest), " (", newest->source, ", ", newest->author, ") gives way to ",
                   options_.file}));
    }
  }
  Keep(std::move(current_));
}

Result<ConfigOutcome> ConfigDesk::ReloadFile(ConfigAsker asker) {
  target_.OnConfigComing();
  Result<LoadedConfig> loaded = LoadWholeConfig(options_.file);
  if (!loaded) return Refuse(asker, std::move(loaded).error());
  return Take(std::move(*loaded), asker, From::kFile);
}

Result<ConfigOutcome> ConfigDesk::ReadSecretsAgain(ConfigAsker asker) {
  target_.OnConfigComing();
  Result<LoadedConfig> loaded = LoadWholeText(current_.text, current_.format, Number(current_));
  if (!loaded) return Refuse(asker, std::move(loaded).error());
  return Take(std::move(*loaded), asker, from_file_ ? From::kFile : From::kElsewhere);
}

Result<ConfigOutcome> ConfigDesk::Put(std::string_view text, ConfigFormat format,
                                      std::string_view if_match, bool dry_run, ConfigAsker asker) {
  target_.OnConfigComing();
  if (if_match != "*" && if_match != current_.hash) {
    return Refuse(asker, {Code::kMismatch, Side::kInternal, Retry::kNever,
                          StrCat({"not what is in use: that is ", current_.hash})});
  }
  Result<LoadedConfig> loaded = LoadWholeText(text, format, "posted");
  if (!loaded) return Refuse(asker, std::move(loaded).error());
  if (dry_run) return TryOut(std::move(*loaded), asker);
  return Take(std::move(*loaded), asker, From::kElsewhere);
}

Result<ConfigOutcome> ConfigDesk::Rollback(uint64_t version, ConfigAsker asker) {
  if (!history_) {
    return Refuse(asker, {Code::kNotFound, Side::kInternal, Retry::kNever,
                          "this process keeps no configurations"});
  }
  Result<ConfigVersion> kept = history_->Get(version);
  if (!kept) return Refuse(asker, std::move(kept).error());
  return UseAgain(*kept, std::move(asker));
}

Result<ConfigOutcome> ConfigDesk::UseAgain(const ConfigVersion& kept, ConfigAsker asker) {
  target_.OnConfigComing();
  const std::string name = StrCat({"version ", Decimal(kept.version)});
  Result<LoadedConfig> loaded = LoadWholeText(kept.text, kept.format, name);
  if (!loaded) return Refuse(asker, std::move(loaded).error());
  const std::string_view gap = asker.reason.empty() ? "" : ": ";
  asker.reason = StrCat({"rollback to ", name, gap, asker.reason});
  Result<ConfigOutcome> outcome = Take(std::move(*loaded), asker, From::kElsewhere);
  if (outcome && outcome->kind == ConfigOutcome::Kind::kApplied) {
    stats_.rollbacks[static_cast<size_t>(asker.source)].Inc();
  }
  return outcome;
}

Result<ConfigOutcome> ConfigDesk::Take(LoadedConfig loaded, const ConfigAsker& asker, From from) {
  if (std::string why = target_.WhyNoConfig(); !why.empty()) {
    return Refuse(asker, {Code::kUnavailable, Side::kInternal, Retry::kNever, std::move(why)});
  }
  ConfigOutcome outcome;
  outcome.warnings = loaded.warnings;
  const bool is_file = from == From::kFile;
  if (loaded.fingerprint == fingerprint_) {
    from_file_ |= is_file;
    last_good_ &= !is_file;
    ShowCurrent();
    outcome.kind = ConfigOutcome::Kind::kUnchanged;
    outcome.version = current_;
    Count(asker.source, outcome.kind);
    // Nobody asked: a file was touched.
    const bool asked = asker.source != ConfigSource::kWatch;
    Log(asked ? LogLevel::kInfo : LogLevel::kDebug, "config",
        StrCat({outcome.Text(), " (", Whose(asker), ")"}));
    return outcome;
  }
  for (const ConfigError& warning : loaded.warnings) Warn(warning.Text());
  ConfigVersion version = VersionOf(loaded, asker);
  version.from_file = is_file;
  std::string fingerprint = loaded.fingerprint;
  const std::optional<GuardSettings> guard = GuardOf(*loaded.config);
  const bool other_process_part = ProcessPart(*loaded.config) != process_part_;
  Result<void> used = target_.UseConfig(std::move(loaded));
  if (!used) return Refuse(asker, std::move(used).error());
  if (other_process_part) {
    Warn("what has changed beside listeners, clusters and runtime takes effect with a restart");
  }
  if (is_file && !from_file_) {
    Warn(StrCat({Number(current_), " (", current_.source, ", ", current_.author, ") gives way to ",
                 options_.file}));
  }
  fingerprint_ = std::move(fingerprint);
  from_file_ = is_file;
  last_good_ = false;
  guard_ = guard;
  Keep(std::move(version));
  outcome.version = current_;
  Count(asker.source, outcome.kind);
  Log(LogLevel::kInfo, "config", StrCat({outcome.Text(), " (", Whose(asker), ")"}));
  for (ConfigWitness* witness : witnesses_) witness->OnConfigUsed(asker.source);
  return outcome;
}

Result<ConfigOutcome> ConfigDesk::TryOut(LoadedConfig loaded, const ConfigAsker& asker) {
  ConfigOutcome outcome;
  outcome.kind = ConfigOutcome::Kind::kGood;
  outcome.warnings = loaded.warnings;
  outcome.version = VersionOf(loaded, asker);
  Result<void> tried = target_.TryConfig(std::move(loaded));
  if (!tried) return Fail(std::move(tried).error());
  return outcome;
}

tl::unexpected<Error> ConfigDesk::Refuse(const ConfigAsker& asker, Error error) {
  stats_.reloads[static_cast<size_t>(asker.source)][2].Inc();
  for (std::string_view rest = error.detail; !rest.empty();) {
    const size_t end = rest.find('\n');
    Log(LogLevel::kError, "config",
        StrCat({"nothing is changed (", Whose(asker), "): ", rest.substr(0, end)}));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return Fail(std::move(error));
}

void ConfigDesk::Count(ConfigSource source, ConfigOutcome::Kind kind) {
  stats_.reloads[static_cast<size_t>(source)][kind == ConfigOutcome::Kind::kApplied ? 0 : 1].Inc();
}

ConfigVersion ConfigDesk::VersionOf(const LoadedConfig& loaded, const ConfigAsker& asker) const {
  ConfigVersion version;
  version.hash = ConfigHash(loaded.text);
  version.time = loop_.wall() / kSecond;
  version.author = asker.author;
  version.reason = asker.reason;
  version.source = ConfigSourceName(asker.source);
  version.file = options_.file;
  version.format = loaded.format;
  version.text = loaded.text;
  return version;
}

// Whatever becomes of the history, it is in use.
void ConfigDesk::Keep(ConfigVersion version) {
  const uint64_t last = current_.version;
  current_ = std::move(version);
  current_.version = last + 1;
  if (history_) {
    Result<ConfigVersion> kept = history_->Add(current_);
    if (kept) {
      current_.version = kept->version;
      current_.parent = kept->parent;
    } else {
      stats_.history_failures.Inc();
      Warn(StrCat({"the configuration in use is not kept: ", kept.error().detail}));
    }
  }
  ShowCurrent();
}

void ConfigDesk::ShowCurrent() {
  stats_.version.Set(static_cast<int64_t>(current_.version));
  stats_.hash.Set(LeadingBits(current_.hash));
  stats_.time.Set(current_.time);
  stats_.from_file.Set(from_file_ ? 1 : 0);
  stats_.last_good.Set(last_good_ ? 1 : 0);
}

Result<std::string> ConfigDesk::Dump(DumpOrigin origin) const {
  const Result<LoadedConfig> loaded =
      LoadWholeText(current_.text, current_.format, from_file_ ? options_.file : Number(current_));
  if (!loaded) return Fail(loaded.error());
  return DumpConfig(*loaded, RegisteredFilters(), origin);
}

}  // namespace sluice
