// Where an instance keeps what outlives its processes. Any thread.
#ifndef SLUICE_CORE_SERVER_CONFIGURATION_STATE_FOLDER_H_
#define SLUICE_CORE_SERVER_CONFIGURATION_STATE_FOLDER_H_

#include <string>
#include <string_view>

namespace sluice {

// `configured` if it is not empty; else the instance's folder below $STATE_DIRECTORY (systemd sets
// it), or /var/lib/sluice for root, or $XDG_STATE_HOME/sluice, or ~/.local/state/sluice. Empty if
// there is none of these.
std::string StateFolderOf(std::string_view configured, std::string_view id);

// The one of ConfigHistory.
std::string HistoryFolderOf(std::string_view state_folder);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONFIGURATION_STATE_FOLDER_H_
