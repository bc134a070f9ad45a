// Log files before they are opened: whose a new one shall be, and whether one could be written at
// all. Any thread; blocks on the disk.
#ifndef SLUICE_CORE_BASE_APPEND_FILE_H_
#define SLUICE_CORE_BASE_APPEND_FILE_H_

#include <sys/types.h>

#include <string>

#include "core/base/result.h"

namespace sluice {

// -1: whoever we are.
struct FileOwner {
  uid_t user = static_cast<uid_t>(-1);
  gid_t group = static_cast<gid_t>(-1);
};

// Makes an empty file at `path` that is `owner`'s, so that we can open it again when we have become
// them. What is there already stays as it is; why no file can be made there, opening it says.
Result<void> MakeFileOf(const std::string& path, const FileOwner& owner);

// Whether `path` could be opened to append, or made, by who we are now. Opens nothing.
Result<void> CheckAppend(const std::string& path);

}  // namespace sluice

#endif  // SLUICE_CORE_BASE_APPEND_FILE_H_
