// The file of a stats segment: made, found, set aside. Main thread.
#ifndef SLUICE_CORE_STATS_SEGMENT_FILE_H_
#define SLUICE_CORE_STATS_SEGMENT_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/stats/limits.h"
#include "core/stats/memory.h"

namespace sluice {

struct StatsFileOptions {
  uint64_t size = kStatsDefaultSize;
  StatsLimits limits = {};
  // Whom the file is made over to, if root makes it: the user that the server becomes. Files of
  // this user are trusted as our own are.
  std::optional<uid_t> owner = {};
  StatsMemory::Reserver reserver = StatsMemory::ReserveInFile;
};

// Errors: kInvalidArgument. What follows REQUIRES that there is none.
Result<void> CheckStatsFileOptions(const StatsFileOptions& options);

// The file at `path`, for reading and writing. Errors: kNotFound; kPermission if it is not a
// regular file of our user or `owner` (a link is followed by nobody).
Result<Fd> OpenStatsFile(const std::string& path, std::optional<uid_t> owner);

// The same, for a process that only reads; anybody's file.
Result<Fd> OpenStatsFileForReading(const std::string& path);

// Makes an empty segment at `path`, whole before it has that name. Errors: kAlreadyExists, kept as
// it is; kExhausted and others, with the path.
Result<void> MakeStatsFile(const std::string& path, const StatsFileOptions& options);

// One without a name.
Result<Fd> MakeNamelessStatsFile(const StatsFileOptions& options);

// Is `fd` (still) what `path` names?
bool IsStatsFileAt(const std::string& path, int fd);

// Renames it to `path`.old, in place of what is there.
Result<void> SetStatsFileAside(const std::string& path);

// What a header said when it was checked: the one in shared memory may be damaged since.
struct StatsFileFound {
  uint64_t size = 0;
  StatsLimits limits;
};

// Checks the header, having reserved what it says to use; with `reserver` null (a process that only
// reads) it reserves nothing. `expected_size`: 0 for any. Errors: kInvalidArgument:
// it is no segment of ours, and why; others: it could not be looked at.
Result<StatsFileFound> CheckStatsFile(const std::string& path, int fd, uint64_t expected_size,
                                      StatsMemory::Reserver reserver);

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_SEGMENT_FILE_H_
