// config history, diff, rollback, dump: what was applied to an instance, and what is. All but
// rollback read its state folder, and need no process.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/one_line.h"
#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/config_dump.h"
#include "core/config/history.h"
#include "core/config/redaction.h"
#include "core/server/commands/ask_process.h"
#include "core/server/commands/command.h"
#include "core/server/configuration/state_folder.h"
#include "core/server/configuration/whole_config.h"
#include "core/server/registered_filters.h"

namespace sluice {
namespace {

void Print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

class ConfigCommand final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.require_subcommand(1);
    CLI::App* const history =
        Add(app, "history", "Lists what was applied, the latest first", &ConfigCommand::RunHistory);
    AddState(*history);
    CLI::App* const diff =
        Add(app, "diff", "Says what changed from one version to another", &ConfigCommand::RunDiff);
    diff->add_option("before", before_, "A version")->required();
    diff->add_option("after", after_, "A version")->required();
    AddState(*diff);
    CLI::App* const rollback =
        Add(app, "rollback", "Has a process use a version again, as a new one",
            &ConfigCommand::RunRollback);
    rollback->add_option("version", before_, "The version")->required();
    rollback->add_option("--reason", reason_, "What the history says about it");
    rollback->add_option("--id", instance_.id, "The instance: `id` of its configuration");
    rollback->add_option("--stats", instance_.stats,
                         "Its stats file, if its configuration names one");
    CLI::App* const dump = Add(app, "dump",
                               "Writes the configuration in use, or that of a file, with all "
                               "defaults and without secrets",
                               &ConfigCommand::RunDump);
    dump->add_flag("--origin", origin_, "Says where each value came from");
    dump->add_option("--version", before_, "That version of the history");
    AddState(*dump);
  }

  int Run() override {
    const Result<void> done = (this->*run_)();
    return done ? 0 : FailCommand(done.error().detail);
  }

 private:
  using Part = Result<void> (ConfigCommand::*)();

  CLI::App* Add(CLI::App& app, const char* name, const char* about, Part part) {
    CLI::App* const sub = app.add_subcommand(name, about);
    sub->callback([this, part] { run_ = part; });
    return sub;
  }

  void AddState(CLI::App& app) {
    app.add_option("--id", instance_.id, "The instance: `id` of its configuration");
    app.add_option("--state", state_, "Its state folder, if its configuration names one");
    app.add_option("-c,--config", file_, "The configuration that says both");
  }

  Result<ConfigHistory> History() {
    std::string state = state_;
    if (!file_.empty()) {
      const Result<LoadedConfig> loaded = LoadWholeConfig(file_);
      if (!loaded) return Fail(loaded.error());
      instance_.id = loaded->config->id();
      if (state.empty()) state = loaded->config->state().path();
    }
    state = StateFolderOf(state, instance_.id);
    if (state.empty()) return Fail(Code::kNotFound, "where is its state? --state says it");
    std::string folder = HistoryFolderOf(state);
    struct stat about {};
    if (stat(folder.c_str(), &about) != 0) {
      return Fail(Code::kNotFound, StrCat({"no history of \"", instance_.id, "\" in ", folder,
                                           "; --id, --state or -c names another"}));
    }
    if (access(folder.c_str(), R_OK | X_OK) != 0) return Fail(SystemError(folder, errno));
    return ConfigHistory::View(std::move(folder));
  }

  Result<void> RunHistory() {
    const Result<ConfigHistory> history = History();
    if (!history) return Fail(history.error());
    const std::vector<uint64_t> versions = history->Versions();
    for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
      const Result<ConfigVersion> entry = history->Get(*version);
      if (!entry) {
        Print(StrCat({Decimal(*version), "  ", OneLine(entry.error().detail), "\n"}));
        continue;
      }
      Print(HistoryLine(*entry));
    }
    return {};
  }

  Result<void> RunDiff() {
    const Result<ConfigHistory> history = History();
    if (!history) return Fail(history.error());
    const Result<ConfigVersion> before = history->Get(before_);
    if (!before) return Fail(before.error());
    const Result<ConfigVersion> after = history->Get(after_);
    if (!after) return Fail(after.error());
    const Result<std::string> diff = RedactedDiff(*before, *after, RegisteredFilters());
    if (!diff) return Fail(diff.error());
    Print(*diff);
    return {};
  }

  Result<void> RunDump() {
    Result<LoadedConfig> loaded;
    if (!file_.empty() && before_ == 0) {
      loaded = LoadWholeConfig(file_);
    } else {
      const Result<ConfigHistory> history = History();
      if (!history) return Fail(history.error());
      const Result<ConfigVersion> entry = before_ == 0 ? history->Newest() : history->Get(before_);
      if (!entry) return Fail(entry.error());
      loaded =
          LoadWholeText(entry->text, entry->format, StrCat({"version ", Decimal(entry->version)}));
    }
    if (!loaded) return Fail(loaded.error());
    Print(DumpConfig(*loaded, RegisteredFilters(), origin_ ? DumpOrigin::kYes : DumpOrigin::kNo));
    return {};
  }

  Result<void> RunRollback() {
    std::vector<std::string> arguments = {std::to_string(before_)};
    if (!reason_.empty()) arguments.push_back(reason_);
    const Result<std::string> done = AskProcess(instance_, "rollback", arguments);
    if (!done) return Fail(done.error());
    Print(StrCat({*done, "\n"}));
    return {};
  }

  Part run_ = nullptr;
  Instance instance_;
  std::string state_;
  std::string file_;
  std::string reason_;
  uint64_t before_ = 0;
  uint64_t after_ = 0;
  bool origin_ = false;
};

}  // namespace

std::unique_ptr<Command> NewConfigCommand() { return std::make_unique<ConfigCommand>(); }

}  // namespace sluice
