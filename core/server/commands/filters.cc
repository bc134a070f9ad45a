#include <cstdio>

#include "core/filter/factory.h"
#include "core/filter/registry.h"
#include "core/server/commands/command.h"

namespace sluice {
namespace {

class FiltersCommand final : public Command {
 public:
  int Run() override {
    for (const FilterKind* kind : AllFilterKinds()) {
      std::printf("%.*s\n", static_cast<int>(kind->name().size()), kind->name().data());
    }
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> NewFiltersCommand() { return std::make_unique<FiltersCommand>(); }

}  // namespace sluice
