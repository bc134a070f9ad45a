// Asks something of the process that runs as an instance, over its restart socket.
#ifndef SLUICE_CORE_SERVER_COMMANDS_ASK_PROCESS_H_
#define SLUICE_CORE_SERVER_COMMANDS_ASK_PROCESS_H_

#include <string>
#include <vector>

#include "core/base/result.h"

namespace sluice {

// Whom to ask.
struct Instance {
  std::string id = "sluice";
  std::string stats;  // its stats file; empty: the id's
};

// Waits for the outcome of the command `name` and returns what it says. Errors: kNotFound if nobody
// runs as that; why the process does not do it.
Result<std::string> AskProcess(const Instance& instance, const std::string& name,
                               const std::vector<std::string>& arguments = {});

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_COMMANDS_ASK_PROCESS_H_
