// LogVolume: the room on the disks that logs are written to. Owned by SystemFigures; of the main
// thread.
#ifndef SLUICE_CORE_SERVER_SYSTEM_LOG_VOLUME_H_
#define SLUICE_CORE_SERVER_SYSTEM_LOG_VOLUME_H_

#include <string>
#include <vector>

#include "core/server/system/figure.h"

namespace sluice {

class LogVolume {
 public:
  // The directory outlives it.
  explicit LogVolume(StatsDirectory& directory);

  // `paths`: of the logs' files; what is not a file of a disk, such as /dev/stderr, does not count.
  // Asks the file system: one over the network may make us wait, as writing the log would.
  void Sample(const std::vector<std::string>& paths);

 private:
  GaugeFigure size_;
  GaugeFigure available_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SYSTEM_LOG_VOLUME_H_
