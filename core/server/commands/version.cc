#include "core/server/version.h"

#include <cstdio>

#include "core/server/commands/command.h"

namespace sluice {
namespace {

class VersionCommand final : public Command {
 public:
  int Run() override {
    std::printf("sluice %.*s\n", static_cast<int>(kVersion.size()), kVersion.data());
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> NewVersionCommand() { return std::make_unique<VersionCommand>(); }

}  // namespace sluice
