#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "core/server/commands/command.h"
#include "core/server/version.h"

namespace sluice {
namespace {

struct Entry {
  const char* name;
  const char* about;
  std::unique_ptr<Command> (*make)();
};

constexpr Entry kCommands[] = {
    {"run", "Runs the proxy", NewRunCommand},
    {"check", "Says what a configuration would run, or all that is wrong with it", NewCheckCommand},
    {"reload", "Makes a running process load its configuration again", NewReloadCommand},
    {"restart", "Has a running process replaced, without a request lost", NewRestartCommand},
    {"stop", "Makes a running process end, when what is in flight has ended", NewStopCommand},
    {"stats", "Shows all numbers of a process, be it wedged or dead", NewStatsCommand},
    {"top", "Shows what a process does, live", NewTopCommand},
    {"config", "Says what was applied and what is in use; goes back to a version",
     NewConfigCommand},
    {"echo", "Runs a small upstream that says back what it receives", NewEchoCommand},
    {"filters", "Lists the filters", NewFiltersCommand},
    {"version", "Says the version", NewVersionCommand},
};

bool IsCommand(std::string_view word) {
  return std::any_of(std::begin(kCommands), std::end(kCommands),
                     [word](const Entry& entry) { return word == entry.name; });
}

std::string CommandNames() {
  std::string names;
  for (const Entry& entry : kCommands)
    names += (names.empty() ? "" : ", ") + std::string(entry.name);
  return names;
}

// Whoever starts us may have closed them. Their numbers must not go to sockets, which logs would
// then be written to.
void OpenMissingStandardFds() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = open("/dev/null", O_RDWR);
  if (fd > STDERR_FILENO) close(fd);
}

int Main(int argc, char** argv) {
  OpenMissingStandardFds();
  if (argc < 2) return FailCommand("expected a command: " + CommandNames());
  if (argv[1][0] != '-' && !IsCommand(argv[1])) {
    return FailCommand("there is no command \"" + std::string(argv[1]) + "\"; there are " +
                       CommandNames());
  }
  CLI::App app("Sluice, an L7 proxy with a filter chain", "sluice");
  app.require_subcommand(1);
  app.set_version_flag("--version", "sluice " + std::string(kVersion));
  std::unique_ptr<Command> commands[std::size(kCommands)];
  Command* selected = nullptr;
  for (size_t i = 0; i < std::size(kCommands); ++i) {
    commands[i] = kCommands[i].make();
    CLI::App* const sub = app.add_subcommand(kCommands[i].name, kCommands[i].about);
    Command* const command = commands[i].get();
    command->AddOptions(*sub);
    sub->callback([&selected, command] { selected = command; });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::Error& error) {
    return FailCommand(std::string(error.what()) + "; see sluice --help");
  }
  return selected->Run();
}

}  // namespace
}  // namespace sluice

// NOLINTNEXTLINE(bugprone-exception-escape): what is thrown this far may end the process
int main(int argc, char** argv) { return sluice::Main(argc, argv); }
