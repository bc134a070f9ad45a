#include "core/server/commands/stats_source.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/strings.h"
#include "core/config/units.h"

namespace sluice {
namespace {

constexpr Nanos kMinInterval = 10 * kMillisecond;

}  // namespace

void StatsSource::AddOptions(CLI::App& app) {
  app.add_option("--id", id_, "The instance: `id` of its configuration")->capture_default_str();
  app.add_option("--stats", path_, "Its stats file, if its configuration names one");
  app.add_option("--interval", interval_text_, "Between two looks: 250ms, 5s")
      ->capture_default_str();
}

Result<void> StatsSource::Open() {
  const std::optional<int64_t> interval = ParseDuration(interval_text_);
  if (!interval || *interval < kMinInterval) {
    return Fail(Code::kInvalidArgument, StrCat({"--interval: expected a duration such as 1s, 10ms "
                                                "or more, got \"",
                                                interval_text_, "\""}));
  }
  interval_ = *interval;
  auto file = StatsFile::Open(path());
  if (!file && file.error().code == Code::kNotFound) {
    return Fail(Code::kNotFound, StrCat({"there are no stats at ", path(),
                                         ": nothing ran under this id since the machine started; "
                                         "--id or --stats names another"}));
  }
  if (!file) return Fail(std::move(file).error());
  file_ = std::move(*file);
  return {};
}

bool StatsSource::Renewed() {
  if (!file_->replaced()) return false;
  auto file = StatsFile::Open(path());
  if (!file) return false;
  file_ = std::move(*file);
  return true;
}

bool StatsSource::live() const {
  const std::vector<StatsFile::Process> all = processes();
  return std::any_of(all.begin(), all.end(), [](const auto& process) { return process.live; });
}

}  // namespace sluice
