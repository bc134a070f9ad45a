// Starts a program as a child process. For processes of our own that go on while it runs: the
// supervisor, and one that restarts. On any thread; nobody may change the environment meanwhile.
#ifndef SLUICE_CORE_SERVER_SPAWN_H_
#define SLUICE_CORE_SERVER_SPAWN_H_

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace sluice {

enum class SpawnGroup {
  kOurs,
  kItsOwn,  // what the terminal sends us, such as Ctrl-C, does not reach it
};

// Runs `command`, the path of a binary and its arguments, with no signal blocked, in this
// environment and with `variable` set to `value`. Returns the child's pid. REQUIRES: a command.
Result<pid_t> Spawn(const std::vector<std::string>& command, std::string_view variable,
                    std::string_view value, SpawnGroup group);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SPAWN_H_
