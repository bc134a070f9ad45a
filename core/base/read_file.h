// Reads small files whole. Any thread; blocks on the disk.
#ifndef SLUICE_CORE_BASE_READ_FILE_H_
#define SLUICE_CORE_BASE_READ_FILE_H_

#include <cstddef>
#include <string>

#include "core/base/result.h"

namespace sluice {

// What a file says, of at most `most` bytes. Errors begin with the path: kNotFound;
// kInvalidArgument if it is no regular file (one that could keep us waiting); kOverflow if it is
// larger.
Result<std::string> ReadRegularFile(const std::string& path, size_t most);

}  // namespace sluice

#endif  // SLUICE_CORE_BASE_READ_FILE_H_
