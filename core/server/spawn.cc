#include "core/server/spawn.h"

#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include "core/base/strings.h"

namespace sluice {
namespace {

// What the exec family takes; borrows the texts.
std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentWith(std::string_view variable, std::string_view value) {
  const std::string prefix = StrCat({variable, "="});
  std::vector<std::string> texts;
  for (char** each = environ; *each != nullptr; ++each) {
    if (!std::string_view(*each).starts_with(prefix)) texts.emplace_back(*each);
  }
  texts.push_back(StrCat({prefix, value}));
  return texts;
}

}  // namespace

Result<pid_t> Spawn(const std::vector<std::string>& command, std::string_view variable,
                    std::string_view value, SpawnGroup group) {
  const std::vector<std::string> environment = EnvironmentWith(variable, value);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, group == SpawnGroup::kItsOwn
                                            ? POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP
                                            : POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, command[0].c_str(), nullptr, &attributes,
                                Pointers(command).data(), Pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return Fail(SystemError(StrCat({"start ", command[0]}), error));
  return pid;
}

}  // namespace sluice
