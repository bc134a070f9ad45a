// Server: how it comes by other configurations. The rest of it is in server.cc.
#include <optional>
#include <utility>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/config/secrets.h"
#include "core/config/snapshot.h"
#include "core/server/configuration/config_desk.h"
#include "core/server/configuration/config_guard.h"
#include "core/server/configuration/config_watch.h"
#include "core/server/configuration/response_counter.h"
#include "core/server/generation.h"
#include "core/server/notify.h"
#include "core/server/server.h"

namespace sluice {

Result<std::unique_ptr<Generation>> Server::Build(LoadedConfig loaded) {
  const std::string file = loaded.file;
  const std::vector<std::string> secrets = loaded.secrets;
  auto snapshot = std::make_shared<const Snapshot>(std::move(loaded), ++last_version_);
  Result<std::unique_ptr<Generation>> generation =
      Generation::Build(std::move(snapshot), clusters(), load_context());
  if (!generation) {
    std::string& detail = generation.error().detail;
    detail = WithoutSecrets(StrCat({file, ": ", detail}), secrets);
  }
  return generation;
}

std::string Server::WhyNoConfig() const {
  if (handed_over_ || state_ == ServerState::kDraining) return "this process is ending";
  return "";
}

void Server::OnConfigComing() {
  constexpr Nanos kLongest = 60 * kSecond;
  if (restart_) restart_->AnnouncePause(kLongest);
}

Result<void> Server::UseConfig(LoadedConfig loaded) {
  Result<std::unique_ptr<Generation>> generation = Build(std::move(loaded));
  Result<void> opened;
  if (generation) {
    opened = listening_.Open(**generation);
  } else {
    opened = Fail(std::move(generation).error());
  }
  if (!opened) {
    DropReleased();  // clusters that were made for nothing
    return opened;
  }
  served_.push_back({std::move(*generation), 0, 0});
  clusters_->Start(current().clusters());
  if (checked_) UseEverywhere();
  return {};
}

Result<void> Server::TryConfig(LoadedConfig loaded) {
  Result<void> tried;
  if (auto generation = Build(std::move(loaded)); !generation) {
    tried = Fail(std::move(generation).error());
  }
  DropReleased();
  return tried;
}

void Server::TendConfig(bool tend) {
  if (desk_ == nullptr) return;
  if (!tend) {
    if (guard_ != nullptr) guard_->Stop();
    if (watch_ != nullptr) watch_->Stop();
    return;
  }
  if (guard_ == nullptr) {
    guard_ = std::make_unique<ConfigGuard>(
        *loop_, *directory_, *desk_, [counter = ResponseCounter(*segment_)](bool changed) mutable {
          return counter.Take(changed);
        });
  }
  guard_->Start();
  if (!options_.watch) return;
  if (watch_ == nullptr) watch_ = std::make_unique<ConfigWatch>(*loop_, *desk_);
  watch_->Start();
}

// The end of a reload says to who started us that we are ready: only those who are say so.
Result<ConfigOutcome> Server::ReloadFile(ConfigAsker asker) {
  std::optional<ReloadNotice> notice;
  if (state_ == ServerState::kLive && !handed_over_) notice.emplace();
  return desk_->ReloadFile(std::move(asker));
}

void Server::OnReloadSignal() {
  if (desk_ != nullptr) ReloadFile({ConfigSource::kSignal, "SIGHUP", ""});
}

Result<std::string> Server::Reload(const std::string& who) {
  if (desk_ == nullptr) {
    return Fail(Code::kNotImplemented, "there is no configuration to load again");
  }
  const Result<ConfigOutcome> outcome = ReloadFile({ConfigSource::kHttp, who, ""});
  if (!outcome) return Fail(outcome.error());
  return outcome->Text();
}

void Server::RunConfigCommand(std::string_view name, const std::vector<std::string>& arguments,
                              RestartCommand& command) {
  if (desk_ == nullptr) return command.Finish(false, "there is no configuration to load again");
  ConfigAsker asker{ConfigSource::kCommand, command.Who(), ""};
  const bool reload = name == "reload";
  const size_t reason = reload ? 0 : 1;
  if (arguments.size() > reason) asker.reason = arguments[reason];
  Result<ConfigOutcome> outcome;
  if (reload) {
    outcome = ReloadFile(std::move(asker));
  } else {
    const auto version = arguments.empty() ? std::nullopt : ParseDecimal(arguments[0]);
    if (!version) return command.Finish(false, "which version?");
    outcome = desk_->Rollback(*version, std::move(asker));
  }
  command.Finish(outcome.has_value(), outcome ? outcome->Text() : outcome.error().detail);
}

}  // namespace sluice
