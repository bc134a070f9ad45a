#include "core/server/configuration/state_folder.h"

#include <unistd.h>

#include <cstdlib>

#include "core/base/strings.h"

namespace sluice {
namespace {

std::string_view Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

}  // namespace

std::string StateFolderOf(std::string_view configured, std::string_view id) {
  if (!configured.empty()) return std::string(configured);
  // Several are separated by colons (systemd.exec(5)).
  std::string_view given = Variable("STATE_DIRECTORY");
  given = given.substr(0, given.find(':'));
  if (!given.empty()) return StrCat({given, "/", id});
  if (geteuid() == 0) return StrCat({"/var/lib/sluice/", id});
  // A relative one is to be ignored (XDG Base Directory Specification).
  const std::string_view state = Variable("XDG_STATE_HOME");
  if (state.starts_with('/')) return StrCat({state, "/sluice/", id});
  const std::string_view home = Variable("HOME");
  return home.empty() ? "" : StrCat({home, "/.local/state/sluice/", id});
}

std::string HistoryFolderOf(std::string_view state_folder) {
  return StrCat({state_folder, "/configs"});
}

}  // namespace sluice
