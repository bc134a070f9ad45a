// StatsFile: a look at the segment of another process, which may be wedged or dead, or at what it
// left: for `sluice stats` and `sluice top`. It maps the file for reading only, takes no lock, and
// costs the workers nothing.
//
//   auto file = StatsFile::Open("/dev/shm/sluice.edge");
//   StatsReader reader = (*file)->reader();  // anew for each look: it knows who lives
//
// One thread. Outlives its readers.
#ifndef SLUICE_CORE_STATS_STATS_FILE_H_
#define SLUICE_CORE_STATS_STATS_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/stats/memory.h"
#include "core/stats/reader.h"

namespace sluice {

class StatsFile {
 public:
  // Where the segment of an instance is, unless its configuration says otherwise.
  static std::string DefaultPath(std::string_view id);

  // Errors: kNotFound, kPermission; kInvalidArgument for a file that is no segment that this binary
  // understands. Each says so in full: "/dev/shm/sluice.edge: layout version 2, expected 1".
  static Result<std::unique_ptr<StatsFile>> Open(const std::string& path);

  StatsReader reader() const;

  struct Process {
    uint32_t pid = 0;
    int64_t start = 0;  // seconds since the epoch
    bool live = false;
  };
  // The one or two that used it last, the latest first.
  std::vector<Process> processes() const;

  // The path names another file by now, or none: a process set this one aside, or it was removed.
  bool replaced() const;

 private:
  StatsFile(std::string path, std::unique_ptr<StatsMemory> memory, const StatsLimits& limits);
  uint32_t LiveBanks() const;

  const std::string path_;
  const std::unique_ptr<StatsMemory> memory_;
  const StatsLimits limits_;  // as they were checked
};

}  // namespace sluice

#endif  // SLUICE_CORE_STATS_STATS_FILE_H_
