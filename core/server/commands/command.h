// Command: one of the things that the binary does, by the first word of its command line. A file
// each in this folder; main.cc has the table. An error is one line on stderr and an exit code that
// is not 0.
#ifndef SLUICE_CORE_SERVER_COMMANDS_COMMAND_H_
#define SLUICE_CORE_SERVER_COMMANDS_COMMAND_H_

#include <memory>
#include <string_view>

namespace CLI {
class App;
}

namespace sluice {

class Command {
 public:
  virtual ~Command() = default;
  // Describes its options to `app`; their values go into members.
  virtual void AddOptions(CLI::App& /*app*/) {}
  // Returns the process' exit code.
  virtual int Run() = 0;
};

std::unique_ptr<Command> NewRunCommand();
std::unique_ptr<Command> NewCheckCommand();
std::unique_ptr<Command> NewEchoCommand();
std::unique_ptr<Command> NewVersionCommand();
std::unique_ptr<Command> NewFiltersCommand();
std::unique_ptr<Command> NewRestartCommand();
std::unique_ptr<Command> NewReloadCommand();
std::unique_ptr<Command> NewStopCommand();
std::unique_ptr<Command> NewStatsCommand();
std::unique_ptr<Command> NewTopCommand();
std::unique_ptr<Command> NewConfigCommand();

// Writes "sluice: MESSAGE" to stderr and returns 1.
int FailCommand(std::string_view message);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_COMMANDS_COMMAND_H_
