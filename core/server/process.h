// What concerns the process as a whole: its fd limit, the user that it becomes, its size. Main
// thread, before workers start.
#ifndef SLUICE_CORE_SERVER_PROCESS_H_
#define SLUICE_CORE_SERVER_PROCESS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/append_file.h"
#include "core/base/result.h"

namespace sluice {

// Raises the soft limit of open files to the hard one; returns what holds then.
uint64_t RaiseFdLimit();

// How many client connections fit: each may need an fd upstream too, and `reserved` fds are for the
// rest (listening sockets, logs, loops).
uint32_t ConnectionsFor(uint64_t fd_limit, uint64_t reserved);

// The ids of `user` and `group`, each by name or number. An empty group is the user's own; both
// empty: -1.
Result<FileOwner> FindIdentity(std::string_view user, std::string_view group);

// The name of that user, or its number.
std::string UserName(uid_t user);

// Becomes those for good; both empty: nothing changes. REQUIRES: no other thread of ours that could
// open anything.
Result<void> DropPrivileges(std::string_view user, std::string_view group);

// Cores that this process may run on.
uint32_t AvailableCores();

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_PROCESS_H_
