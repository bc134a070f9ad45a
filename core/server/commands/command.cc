#include "core/server/commands/command.h"

#include <cstdio>

namespace sluice {

int FailCommand(std::string_view message) {
  std::fprintf(stderr, "sluice: %.*s\n", static_cast<int>(message.size()), message.data());
  return 1;
}

}  // namespace sluice
