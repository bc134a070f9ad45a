// What `sluice run --last-good` starts from when its configuration is bad: the newest of the
// history that is good. Main thread; blocks on files.
#ifndef SLUICE_CORE_SERVER_CONFIGURATION_LAST_GOOD_H_
#define SLUICE_CORE_SERVER_CONFIGURATION_LAST_GOOD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/config/loader.h"

namespace sluice {

struct LastGood {
  LoadedConfig loaded;
  uint64_t version = 0;
  std::vector<std::string> skipped;  // newer ones, each with what is wrong with it now
};

// Of the history below `state_folder`; empty: there is none. Versions of other files than `file`,
// an absolute path, do not count. Errors: kNotFound, with all that was looked at.
Result<LastGood> FindLastGood(const std::string& state_folder, const std::string& file);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONFIGURATION_LAST_GOOD_H_
